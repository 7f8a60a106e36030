//! The wall clock, moved by what the rig says. The monotonic clock goes on as it does when an operator sets the time.
use std::{
    ffi::{c_int, c_long, c_void},
    sync::atomic::Ordering,
};

use libc::{clockid_t, time_t, timespec, timeval};

use crate::control::control;

const NS_PER_S: i64 = 1_000_000_000;

fn now(clock: clockid_t, into: *mut timespec) -> c_int {
    // SAFETY: the caller's pointer goes to the kernel, which checks it.
    let result = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, into) };
    let moved = matches!(clock, libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE);
    let by_ns = control().map_or(0, |control| control.clock_ns.load(Ordering::Relaxed));
    if result == 0 && moved && by_ns != 0 {
        // SAFETY: the kernel has just written there.
        let time = unsafe { &mut *into };
        let ns = time.tv_nsec + by_ns % NS_PER_S;
        time.tv_sec += by_ns / NS_PER_S + ns.div_euclid(NS_PER_S);
        time.tv_nsec = ns.rem_euclid(NS_PER_S);
    }
    result as c_int
}

/// # Safety
/// As the C library's function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, into: *mut timespec) -> c_int {
    now(clock, into)
}

/// # Safety
/// As the C library's function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettimeofday(into: *mut timeval, _zone: *mut c_void) -> c_int {
    let mut time = timespec { tv_sec: 0, tv_nsec: 0 };
    let result = now(libc::CLOCK_REALTIME, &mut time);
    if result == 0 && !into.is_null() {
        // SAFETY: the caller's pointer, which it says is good.
        unsafe { *into = timeval { tv_sec: time.tv_sec, tv_usec: time.tv_nsec / 1000 } };
    }
    result
}

/// # Safety
/// As the C library's function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn time(into: *mut time_t) -> time_t {
    let mut time = timespec { tv_sec: 0, tv_nsec: 0 };
    now(libc::CLOCK_REALTIME, &mut time);
    if !into.is_null() {
        // SAFETY: the caller's pointer, which it says is good.
        unsafe { *into = time.tv_sec };
    }
    c_long::from(time.tv_sec)
}
