"""A hall's own backups (备份): made daily, proven, listed, tried, and put back from the manager's page."""
