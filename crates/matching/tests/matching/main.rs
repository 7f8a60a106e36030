//! The queues from outside, through the public API alone.
#![allow(clippy::unwrap_used)]

mod concurrency;
mod lifecycle;
mod order_model;
mod overflow;
mod overflow_model;
mod rate;
mod reserve;
mod support;
