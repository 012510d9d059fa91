"""Demonstration data of Daqing's halls and what runs a demonstration. Everything here is a sample."""
