//! Dates of ARFF, in the patterns of Java's `SimpleDateFormat`.

/// A pattern of dates.
#[derive(Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(char),
    /// A letter of the pattern, and how often it stands there.
    Field(char, usize),
}

/// What is known of a date so far.
struct Date {
    year: i64,
    month: i64,
    day: i64,
    seconds: f64,
    afternoon: bool,
}

impl Pattern {
    /// Reads a pattern, such as `yyyy-MM-dd'T'HH:mm:ss`.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let mut parts: Vec<Part> = Vec::new();
        let mut literal = false;
        for character in pattern.chars() {
            match (character, parts.last_mut()) {
                ('\'', _) => literal = !literal,
                (letter, Some(Part::Field(same, count))) if !literal && *same == letter => *count += 1,
                (letter, _) if !literal && letter.is_ascii_alphabetic() => {
                    if !"yMdHhmsSaZXz".contains(letter) {
                        return Err(format!("the date format {pattern:?} has {letter:?}, which is not read"));
                    }
                    parts.push(Part::Field(letter, 1));
                }
                _ => parts.push(Part::Literal(character)),
            }
        }
        Ok(Pattern { parts })
    }

    /// Seconds since 1970 of a date, in UTC unless it names its zone.
    pub(super) fn seconds(&self, text: &str) -> Option<f64> {
        let mut date = Date { year: 1970, month: 1, day: 1, seconds: 0.0, afternoon: false };
        let mut rest = text.trim();
        for (index, part) in self.parts.iter().enumerate() {
            match part {
                Part::Literal(character) => rest = rest.strip_prefix(*character)?,
                Part::Field(letter, count) => {
                    // Digits of fields without a literal between them are as many as letters.
                    let next_is_field = matches!(self.parts.get(index + 1), Some(Part::Field(..)));
                    let most = if next_is_field { *count } else { 9 };
                    rest = date.field(*letter, most, rest)?;
                }
            }
        }
        rest.is_empty().then(|| date.finish()).flatten()
    }
}

impl Date {
    /// Reads a field of at most `most` digits, and returns what comes after.
    fn field<'a>(&mut self, letter: char, most: usize, text: &'a str) -> Option<&'a str> {
        match letter {
            'M' if text.starts_with(|start: char| start.is_ascii_alphabetic()) => {
                let name = text.get(..3)?.to_ascii_lowercase();
                let months =
                    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
                self.month = 1 + i64::try_from(months.iter().position(|month| *month == name)?).ok()?;
                return Some(text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()));
            }
            'a' => {
                let (half, rest) = text.split_at_checked(2)?;
                self.afternoon = half.eq_ignore_ascii_case("pm");
                return (self.afternoon || half.eq_ignore_ascii_case("am")).then_some(rest);
            }
            'Z' | 'X' | 'z' => return self.zone(text),
            _ => {}
        }
        let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        let number: i64 = number.parse().ok()?;
        match letter {
            'y' if digits == 2 => self.year = number + if number < 70 { 2000 } else { 1900 },
            'y' => self.year = number,
            'M' => self.month = number,
            'd' => self.day = number,
            'H' => self.seconds += number as f64 * 3600.0,
            'h' => self.seconds += (number % 12) as f64 * 3600.0,
            'm' => self.seconds += number as f64 * 60.0,
            's' => self.seconds += number as f64,
            'S' => self.seconds += number as f64 / 1000.0,
            _ => return None,
        }
        Some(rest)
    }

    /// Reads `Z`, `UTC`, `GMT`, `+02`, `+0200` or `+02:00`.
    fn zone<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        if let Some(rest) = ["UTC", "GMT", "Z"].iter().find_map(|zone| text.strip_prefix(zone)) {
            return Some(rest);
        }
        let sign = if text.starts_with('+') { 1.0 } else { -1.0 };
        let rest = text.strip_prefix(['+', '-'])?;
        let (hours, rest) = rest.split_at_checked(2)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let (minutes, rest) = match rest.split_at_checked(2) {
            Some((minutes, rest)) if minutes.bytes().all(|byte| byte.is_ascii_digit()) => (minutes, rest),
            _ => ("0", rest),
        };
        let number = |text: &str| text.parse::<u8>().ok().map(f64::from);
        self.seconds -= sign * (number(hours)? * 3600.0 + number(minutes)? * 60.0);
        Some(rest)
    }

    fn finish(self) -> Option<f64> {
        if !(1..=12).contains(&self.month) || !(1..=31).contains(&self.day) {
            return None;
        }
        let noon = if self.afternoon { 12.0 * 3600.0 } else { 0.0 };
        Some(days(self.year, self.month, self.day) as f64 * 86_400.0 + self.seconds + noon)
    }
}

/// Days from 1970 to a date of the Gregorian calendar, by years that begin in March.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds() {
        let seconds = |pattern: &str, text: &str| Pattern::new(pattern).unwrap().seconds(text);
        assert_eq!(seconds("yyyy-MM-dd'T'HH:mm:ss", "2001-09-09T01:46:40"), Some(1e9));
        assert_eq!(seconds("yyyyMMddHHmmss", "20010909014640"), Some(1e9));
        assert_eq!(seconds("dd/MMM/yy hh:mm a", "09/Sep/01 01:46 am"), Some(1e9 - 40.0));
        assert_eq!(seconds("yyyy-MM-dd HH:mm:ss.SSSZ", "2001-09-09 03:46:40.250+0200"), Some(1e9 + 0.25));
        assert_eq!(seconds("d.M.yyyy", "29.2.2024"), Some(1_709_164_800.0));
        assert_eq!(seconds("yyyy-MM-dd", "1969-12-31"), Some(-86_400.0));
        for wrong in ["", "2001", "2001-13-01", "2001-01-01x", "2001-01-32", "é001-01-01"] {
            assert_eq!(seconds("yyyy-MM-dd", wrong), None, "{wrong}");
        }
        assert!(Pattern::new("ww").is_err());
    }
}
