//! Faults under a process, from outside: a library to be named in `LD_PRELOAD`, whose functions stand in front of those
//! of the C library. Linux only; for the crash rig, and no part of the server.
//!
//! `ABIDE_FAULTS_CONTROL` names a file of `control::BYTES` bytes through which the rig says what fails (see
//! `control`); `ABIDE_FAULTS_DIRECTORY` the folder whose files are concerned. Without them nothing changes.
//!
//! Everything goes on by raw system calls, so nothing is looked up and nothing calls itself. The standard library is not
//! used for input or output here: its calls would come back to these functions.
#![cfg(target_os = "linux")]

mod clock;
mod control;
mod files;
