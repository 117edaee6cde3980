//! Which sets of header names browsers here send, and which only tools do.

use serde::{Deserialize, Serialize};

use crate::event::{Claim, Event};
use crate::num;
use crate::sketch::Top;

/// Which header shapes go with which claims.
///
/// Filled once records carry a shape; until then it knows none and says nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Shapes {
    browsers: Top<32>,
    others: Top<32>,
}

impl Shapes {
    pub(crate) fn learn(&mut self, event: &Event) {
        let Some(shape) = event.header_shape.map(num::low32) else {
            return;
        };
        match event.claim {
            Claim::Browser => self.browsers.add(shape),
            Claim::Tool | Claim::Crawler => self.others.add(shape),
            _ => {}
        }
    }

    /// Whether a shape is that of tools, and of hardly any browser.
    pub(crate) fn foreign(&self, shape: u64) -> bool {
        const KNOWN: u32 = 200;
        let shape = num::low32(shape);
        let (browsers, others) = (self.browsers.count(shape), self.others.count(shape));
        self.browsers.total() >= KNOWN
            && others >= 5
            && browsers.saturating_mul(50) < self.browsers.total()
    }
}
