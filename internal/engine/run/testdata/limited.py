"""Runs a program that may ask for so many bytes of memory, and writes to a file how many kilobytes of it were resident at most.

limited.py BYTES FILE PROGRAM ARGUMENT...

The system counts a child's resident memory from that of the process that it was started from. This one is small, where a
test's may be larger than the program.
"""

import resource
import subprocess
import sys

resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
code = subprocess.call(sys.argv[3:])
with open(sys.argv[2], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
