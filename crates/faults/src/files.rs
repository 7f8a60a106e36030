//! Reads, writes and syncs of files in the concerned folder, which fail while the rig says so.
use std::{
    ffi::{CStr, c_int, c_long, c_void},
    sync::atomic::{AtomicI64, Ordering},
};

use libc::{iovec, off_t, off64_t, size_t, ssize_t};

use crate::control::{Control, control, variable};

/// The longest path that is recognised.
const PATH_BYTES_MAX: usize = 4096;

/// Whether the call is to fail, with its error number set. Costs one load while nothing is to fail.
fn fails(file: c_int, of: impl FnOnce(&Control) -> &AtomicI64) -> bool {
    let Some(control) = control() else { return false };
    let number = of(control).load(Ordering::Relaxed);
    if number == 0 || !is_concerned(file) {
        return false;
    }
    control.count();
    // SAFETY: the location of this thread's own error number.
    unsafe { *libc::__errno_location() = i32::try_from(number).unwrap_or(libc::EIO) };
    true
}

/// Whether the file lies in the folder, by what the kernel calls it.
fn is_concerned(file: c_int) -> bool {
    let Some(folder) = variable(c"ABIDE_FAULTS_DIRECTORY") else { return false };
    // SAFETY: a C string of the environment, which is not changed.
    let folder = unsafe { CStr::from_ptr(folder) }.to_bytes();
    let mut link = [0u8; 32];
    if std::io::Write::write_fmt(&mut &mut link[..31], format_args!("/proc/self/fd/{file}")).is_err() {
        return false;
    }
    let mut path = [0u8; PATH_BYTES_MAX];
    let (from, into) = (link.as_ptr(), path.as_mut_ptr());
    // SAFETY: a C string, as the last byte is never written, and a buffer of the length given.
    let length = unsafe { libc::syscall(libc::SYS_readlinkat, libc::AT_FDCWD, from, into, path.len()) };
    usize::try_from(length).is_ok_and(|length| path[..length].starts_with(folder))
}

/// Stands in for a function of the C library: fails as told, or makes the system call of the same arguments.
macro_rules! stand_in {
    ($field:ident: $call:ident $name:ident($file:ident: c_int $(, $argument:ident: $type:ty)*) -> $result:ty) => {
        /// # Safety
        /// As the C library's function.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($file: c_int $(, $argument: $type)*) -> $result {
            if fails($file, |control| &control.$field) {
                return -1;
            }
            // SAFETY: the caller's arguments go to the kernel as they are.
            (unsafe { libc::syscall(libc::$call, c_long::from($file) $(, $argument)*) }) as $result
        }
    };
}

stand_in!(read: SYS_read read(file: c_int, into: *mut c_void, count: size_t) -> ssize_t);
stand_in!(read: SYS_readv readv(file: c_int, into: *const iovec, count: c_int) -> ssize_t);
stand_in!(read: SYS_pread64 pread(file: c_int, into: *mut c_void, count: size_t, at: off_t) -> ssize_t);
stand_in!(read: SYS_pread64 pread64(file: c_int, into: *mut c_void, count: size_t, at: off64_t) -> ssize_t);
stand_in!(write: SYS_write write(file: c_int, from: *const c_void, count: size_t) -> ssize_t);
stand_in!(write: SYS_writev writev(file: c_int, from: *const iovec, count: c_int) -> ssize_t);
stand_in!(write: SYS_pwrite64 pwrite(file: c_int, from: *const c_void, count: size_t, at: off_t) -> ssize_t);
stand_in!(write: SYS_pwrite64 pwrite64(file: c_int, from: *const c_void, count: size_t, at: off64_t) -> ssize_t);
stand_in!(write: SYS_ftruncate ftruncate(file: c_int, length: off_t) -> c_int);
stand_in!(write: SYS_ftruncate ftruncate64(file: c_int, length: off64_t) -> c_int);
stand_in!(sync: SYS_fsync fsync(file: c_int) -> c_int);
stand_in!(sync: SYS_fdatasync fdatasync(file: c_int) -> c_int);
