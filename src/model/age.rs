//! How long ago something may have been: `12h`, `30d`, `2w`.

use jiff::SignedDuration;
use std::fmt;
use std::str::FromStr;

/// An age in whole hours, days or weeks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Age {
    text: String,
    hours: i64,
}

/// Why a text is no age.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of hours, days or weeks, as in `12h`, `30d` or `2w`, found `{0}`")]
pub struct NotAnAge(String);

impl Age {
    /// The same as a duration.
    pub fn duration(&self) -> SignedDuration {
        SignedDuration::from_hours(self.hours)
    }
}

impl FromStr for Age {
    type Err = NotAnAge;

    fn from_str(text: &str) -> Result<Self, NotAnAge> {
        let refused = || NotAnAge(text.chars().take(80).collect());
        let unit = text.chars().last().ok_or_else(refused)?;
        let hours = match unit {
            'h' => 1,
            'd' => 24,
            'w' => 7 * 24,
            _ => return Err(refused()),
        };
        let number: u32 = text.trim_end_matches(unit).parse().map_err(|_| refused())?;
        // `+3d` is a number to Rust.
        if format!("{number}{unit}") != text {
            return Err(refused());
        }
        Ok(Age { text: text.to_owned(), hours: i64::from(number) * hours })
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_days_and_weeks_are_read() {
        let hours = |text: &str| text.parse::<Age>().unwrap().duration().as_hours();
        assert_eq!((hours("12h"), hours("30d"), hours("2w"), hours("0d")), (12, 720, 336, 0));
        assert_eq!("2w".parse::<Age>().unwrap().to_string(), "2w");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in
            ["", "d", "30", "+3d", "-1d", "1.5d", "3dd", "03d", "3 d", "3m", "é", "99999999999d"]
        {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
