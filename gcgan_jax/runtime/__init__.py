"""The machine: devices, processes, signals, memory, the console."""
