//! Shards: a sweep split over machines that know nothing of each other.
//!
//! Point `p` belongs to shard `p mod count + 1`: every point to exactly one, and each shard gets its
//! part of the slow corner of a grid.

use serde::{Deserialize, Serialize};

/// One of `count` equal parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// Of how many.
    pub count: usize,
}

/// A shard that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// Not `i/n`, `auto` or `auto/n`.
    #[error("--shard {0}: expected i/n with i from 1 to n, such as 2/16, or auto, or auto/n")]
    Form(String),
    /// No job array around.
    #[error(
        "--shard auto: neither JOB_COMPLETION_INDEX (a Kubernetes indexed job) nor \
         SLURM_ARRAY_TASK_ID (a Slurm array) is set; give the shard as i/n"
    )]
    NoArray,
    /// The number of shards is nowhere to be found.
    #[error(
        "--shard auto: JOB_COMPLETION_INDEX is set, but Kubernetes does not tell the number of \
         completions; write --shard auto/n, or set ISOCOST_SHARDS=n in the manifest"
    )]
    NoCount,
    /// A variable that is no number.
    #[error("--shard auto: {name}={value} is not a whole number; give the shard as i/n")]
    Variable {
        /// Name of the variable.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// An index beyond the number of shards.
    #[error(
        "--shard auto: index {index} (from 0) is not below {count}, the number of shards; {remedy}"
    )]
    Beyond {
        /// Index, from 0.
        index: usize,
        /// Number of shards.
        count: usize,
        /// What to do.
        remedy: &'static str,
    },
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// Reads `i/n`, or `auto` and `auto/n` with what `variable` says of the environment.
    ///
    /// # Errors
    /// [`ShardError`].
    pub fn parse(
        text: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ShardError> {
        let form = || ShardError::Form(text.to_owned());
        let positive = |text: &str| text.parse::<usize>().ok().filter(|n| *n > 0);
        let (index, count) = match text.split_once('/') {
            Some((index, count)) => (index, Some(positive(count).ok_or_else(form)?)),
            None => (text, None),
        };
        if index == "auto" {
            return Self::auto(count, variable);
        }
        match (positive(index), count) {
            (Some(index), Some(count)) if index <= count => Ok(Self { index, count }),
            _ => Err(form()),
        }
    }

    fn auto(
        count: Option<usize>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ShardError> {
        let number = |name: &'static str| match variable(name) {
            None => Ok(None),
            Some(value) => match value.trim().parse::<usize>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(ShardError::Variable { name, value }),
            },
        };
        let told = count.or(number("ISOCOST_SHARDS")?.filter(|n| *n > 0));
        if let Some(index) = number("JOB_COMPLETION_INDEX")? {
            let count = told.ok_or(ShardError::NoCount)?;
            return Self::of(index, count, "make it the job's `completions`");
        }
        let id = number("SLURM_ARRAY_TASK_ID")?.ok_or(ShardError::NoArray)?;
        let least = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(0);
        let step = number("SLURM_ARRAY_TASK_STEP")?.unwrap_or(1).max(1);
        let count = told.or(number("SLURM_ARRAY_TASK_COUNT")?).ok_or(ShardError::NoCount)?;
        let index = id.saturating_sub(least) / step;
        Self::of(index, count, "give the array as one range, such as --array=0-15")
    }

    fn of(index: usize, count: usize, remedy: &'static str) -> Result<Self, ShardError> {
        if index < count {
            Ok(Self { index: index + 1, count })
        } else {
            Err(ShardError::Beyond { index, count, remedy })
        }
    }

    /// Whether `point`, from 0, belongs to it.
    pub fn has(&self, point: usize) -> bool {
        point % self.count == self.index - 1
    }

    /// Name of its directory, such as `shard-03-of-16`; none for the whole.
    pub fn directory(&self) -> Option<String> {
        let width = self.count.to_string().len();
        (self.count > 1).then(|| format!("shard-{:0width$}-of-{}", self.index, self.count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(text: &str, variables: &[(&str, &str)]) -> Result<Shard, ShardError> {
        Shard::parse(text, |name| variables.iter().find(|v| v.0 == name).map(|v| v.1.to_owned()))
    }

    #[test]
    fn shards_part_the_points() {
        for count in 1..=7 {
            for point in 0..50 {
                let owners = (1..=count).filter(|&index| Shard { index, count }.has(point));
                assert_eq!(owners.count(), 1, "point {point} of {count} shards");
            }
        }
    }

    #[test]
    fn given_by_hand() {
        assert_eq!(auto("2/16", &[]), Ok(Shard { index: 2, count: 16 }));
        for wrong in ["", "2", "0/4", "5/4", "a/4", "2/0", "2/4/8", "-1/4", "auto/0", "auto/x"] {
            assert_eq!(auto(wrong, &[]), Err(ShardError::Form(wrong.to_owned())));
        }
    }

    #[test]
    fn from_a_kubernetes_indexed_job() {
        let job = [("JOB_COMPLETION_INDEX", "0")];
        assert_eq!(auto("auto/4", &job), Ok(Shard { index: 1, count: 4 }));
        assert_eq!(auto("auto", &job), Err(ShardError::NoCount));
        let job = [("JOB_COMPLETION_INDEX", "3"), ("ISOCOST_SHARDS", "4")];
        assert_eq!(auto("auto", &job), Ok(Shard { index: 4, count: 4 }));
        assert!(matches!(auto("auto/3", &job), Err(ShardError::Beyond { index: 3, count: 3, .. })));
    }

    #[test]
    fn from_a_slurm_array() {
        let array = [
            ("SLURM_ARRAY_TASK_ID", "14"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
            ("SLURM_ARRAY_TASK_MIN", "8"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
        ];
        assert_eq!(auto("auto", &array), Ok(Shard { index: 4, count: 4 }));
        assert_eq!(auto("auto", &[]), Err(ShardError::NoArray));
        let wrong = [("SLURM_ARRAY_TASK_ID", "x")];
        assert!(matches!(auto("auto", &wrong), Err(ShardError::Variable { .. })));
    }
}
