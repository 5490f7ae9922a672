//! Values that found no column, as one JSON object.

use rustc_hash::FxHashSet;

use crate::json::{Line, Member};

/// Writes members as an object, as they were written; the last counts where a name is there twice.
pub(crate) fn write(line: Line<'_>, members: &[Member], json: &mut String) {
    let mut later = FxHashSet::default();
    let mut is_kept = vec![true; members.len()];
    if members.len() > 1 {
        for (place, member) in members.iter().enumerate().rev() {
            is_kept[place] = later.insert(line.key(member));
        }
    }
    json.clear();
    for (member, _) in members.iter().zip(is_kept).filter(|(_, is_kept)| *is_kept) {
        json.push(if json.is_empty() { '{' } else { ',' });
        json.push_str(line.raw(member.key));
        json.push(':');
        json.push_str(line.raw(member.value));
    }
    json.push('}');
}
