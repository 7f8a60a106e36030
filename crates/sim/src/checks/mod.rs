//! What must hold, however things went wrong.
pub mod deliveries;
pub mod history;
pub mod leftovers;
pub mod linearizable;
