"""The runtime environment: devices, processes, signals, memory and the console."""
