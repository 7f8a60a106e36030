//! The file by which the rig steers: numbers of 64 bits in the machine's order, mapped into this process and the rig's.
use std::{
    ffi::c_char,
    ptr,
    sync::{
        OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

/// The length of the file.
pub(crate) const BYTES: usize = size_of::<Control>();

/// The numbers, in their order.
#[repr(C)]
pub(crate) struct Control {
    /// The error number that reads fail with; 0 for none.
    pub(crate) read: AtomicI64,
    /// The same for writes, and for changes of a file's length.
    pub(crate) write: AtomicI64,
    /// The same for syncs.
    pub(crate) sync: AtomicI64,
    /// What is added to the wall clock, in nanoseconds.
    pub(crate) clock_ns: AtomicI64,
    /// How many calls failed by this; counted here, read by the rig.
    pub(crate) injected: AtomicI64,
}

static CONTROL: OnceLock<Option<&'static Control>> = OnceLock::new();

/// The numbers, if the process was given any.
pub(crate) fn control() -> Option<&'static Control> {
    *CONTROL.get_or_init(map)
}

fn map() -> Option<&'static Control> {
    let path = variable(c"ABIDE_FAULTS_CONTROL")?;
    // SAFETY: the path is a C string of the environment, and the call touches nothing else.
    let file = unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, path, libc::O_RDWR | libc::O_CLOEXEC) };
    let file = i32::try_from(file).ok().filter(|file| *file >= 0)?;
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping of a file that was just opened; it is never unmapped.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), BYTES, protection, libc::MAP_SHARED, file, 0) };
    // SAFETY: closes what was opened above; the mapping stays.
    unsafe { libc::syscall(libc::SYS_close, file) };
    if mapped == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the mapping is page-aligned, as long as the struct, lives for ever, and is only reached through atomics.
    Some(unsafe { &*mapped.cast::<Control>() })
}

/// A variable of the environment, as it is there.
pub(crate) fn variable(name: &std::ffi::CStr) -> Option<*const c_char> {
    // SAFETY: the name ends in zero. The server does not change its environment.
    let value = unsafe { libc::getenv(name.as_ptr()) };
    (!value.is_null()).then_some(value.cast_const())
}

impl Control {
    /// Notes that a call fails.
    pub(crate) fn count(&self) {
        self.injected.fetch_add(1, Ordering::Relaxed);
    }
}
