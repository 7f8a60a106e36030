//! The bytes of an input, read as choices.

/// Reads from the front; when all is read, every choice is the first one, so that a short input is a plain one.
#[derive(Debug)]
pub(crate) struct Choices<'i> {
    rest: &'i [u8],
}

impl<'i> Choices<'i> {
    pub(crate) fn new(input: &'i [u8]) -> Self {
        Self { rest: input }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }

    /// Up to `count` bytes; fewer at the end of the input.
    pub(crate) fn bytes(&mut self, count: usize) -> &'i [u8] {
        let (front, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        front
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.bytes(8).iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// Below `n`, which is more than 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let choice =
            if n > 256 { usize::from(self.byte()) << 8 | usize::from(self.byte()) } else { self.byte().into() };
        choice % n
    }

    /// One of those given, the first when the input is at its end.
    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Yes in about so many of 256 cases, and not at the end of the input.
    pub(crate) fn odds(&mut self, of_256: u8) -> bool {
        self.byte() > 255 - of_256
    }
}
