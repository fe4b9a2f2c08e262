"""The console command ``boxes``."""
