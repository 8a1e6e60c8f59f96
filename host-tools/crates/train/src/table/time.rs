//! Dates and clocks, recognized by their shape: they tell when a row was recorded, which no sensor measures.

/// Returns true for a date, a time of day, or both: `2024-05-01 12:00:03.5Z`, `1.5.2024`, `5/1/24 3:04 PM`, `12:00`.
pub(crate) fn is_time(text: &str) -> bool {
    // Every form has a colon, two equal separators or the name of a month; a number in digits has none of them.
    if text.len() < 4 || text.len() > 40 || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let text = text.trim();
    if is_clock(text) {
        return true;
    }
    if let Some((_, clock)) = text.split_once(['T', '_']).filter(|(date, _)| is_date(date)) {
        return is_clock(clock);
    }
    // A date may hold spaces itself: `1 May 2024`.
    text.match_indices(' ')
        .any(|(at, _)| is_date(text[..at].trim_end_matches(',')) && is_clock(text[at..].trim()))
        || is_date(text)
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['-', '/', '.', ' ', ',']).filter(|part| !part.is_empty()).collect();
    let [first, second, third] = parts[..] else { return false };
    let separators: Vec<char> = text.chars().filter(|char| matches!(char, '-' | '/' | '.')).collect();
    let number = |text: &str, most: u32| text.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number));
    let year = |text: &str| text.len() == 4 && number(text, 9999);
    let short = |text: &str| text.len() <= 2;
    if [first, second].into_iter().any(is_month) {
        let day = if is_month(first) { second } else { first };
        return short(day) && number(day, 31) && (year(third) || short(third) && number(third, 99));
    }
    if separators.len() != 2 || separators[0] != separators[1] {
        return false;
    }
    let day_and_month = |day: &str, month: &str| {
        short(day)
            && short(month)
            && number(day, 31)
            && number(month, 31)
            && (number(day, 12) || number(month, 12))
    };
    year(first) && day_and_month(second, third)
        || day_and_month(first, second) && (year(third) || third.len() == 2 && third.parse::<u32>().is_ok())
}

fn is_month(text: &str) -> bool {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let lower = text.to_ascii_lowercase();
    (3..=9).contains(&lower.len()) && months.iter().any(|month| lower.starts_with(month))
}

/// `12:03`, `12:03:04.567`, with `AM`, `Z` or `+02:00` behind.
fn is_clock(text: &str) -> bool {
    let lower = text.trim_end_matches(|char: char| char.is_ascii_alphabetic() || char == ' ');
    let zone = text[lower.len()..].trim().to_ascii_lowercase();
    if !matches!(zone.as_str(), "" | "z" | "utc" | "am" | "pm" | "cet" | "cest" | "gmt") {
        return false;
    }
    let clock = match lower.rfind(['+', '-']) {
        Some(at) if at > 0 => {
            let offset: String = lower[at + 1..].chars().filter(|&char| char != ':').collect();
            if !matches!(offset.len(), 2 | 4) || offset.parse::<u32>().is_err() {
                return false;
            }
            &lower[..at]
        }
        _ => lower,
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let below = |text: &str, limit: f64| {
        text.starts_with(|first: char| first.is_ascii_digit())
            && text.replace(',', ".").parse::<f64>().is_ok_and(|number| number < limit)
    };
    let whole = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match parts[..] {
        [hour, minute] => {
            whole(hour) && below(hour, 25.0) && minute.len() == 2 && whole(minute) && below(minute, 60.0)
        }
        [hour, minute, second] => {
            hour.len() <= 3
                && below(hour, 1000.0)
                && whole(minute)
                && below(minute, 60.0)
                && second.len() >= 2
                && below(second, 61.0)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_time;

    #[test]
    fn dates_and_clocks_are_recognized_and_numbers_are_not() {
        for text in [
            "2024-05-01",
            "2024/5/1",
            "2024-05-01T12:00:03",
            "2024-05-01 12:00:03.567",
            "2024-05-01T12:00:03.5Z",
            "2024-05-01T12:00:03+02:00",
            "1.5.2024",
            "01.05.2024 12:00",
            "5/1/24 3:04 PM",
            "12:03",
            "12:03:04.567",
            "1 May 2024",
            "May 1, 2024",
            "01-May-2024 12:00:00",
            "2015-02-04 17:00:00",
        ] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "1.5",
            "1.234.567",
            "192.168.0.1",
            "12",
            "a:b",
            "1:2:3:4",
            "2024",
            "1-2",
            "25:99",
            "rest",
            "",
            "99.99.2024",
            "1,234,567",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }
}
