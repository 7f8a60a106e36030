pub(super) fn run(_: &[u8]) {}
