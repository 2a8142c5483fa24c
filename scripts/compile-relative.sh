#!/usr/bin/env bash
# compile-relative.sh ROOT COMMAND...: the compiler's command with ROOT's files named from the folder it
# runs in, build/PRESET. Link-time optimisation hashes the source's name into those of local symbols:
# with CMake's absolute ones, a clone elsewhere would give other bytes.
root=$1
shift
exec "${@/#"$root"\//../../}"
