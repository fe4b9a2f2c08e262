"""The console command ``boxes``: one file a command. They call, they do not compute.

Everything heavy is imported inside a command, so that ``boxes --help`` answers at once.
"""
