"""LED controllers (LED 屏控制卡): one module for each way of talking, all behind :class:`LedCodec`."""
