//! Notation of a column's numbers: `1234.5`, `1.234,5`, `1'234.5`, `12 %`, `0x1A3`.

/// Separators of a number: before the fraction, and between thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) decimal: char,
    pub(crate) thousands: Option<char>,
}

/// All layouts that a column may be written in; the plain one first, then those without separated thousands.
const LAYOUTS: [Layout; 9] = [
    Layout { decimal: '.', thousands: None },
    Layout { decimal: ',', thousands: None },
    Layout { decimal: '.', thousands: Some(',') },
    Layout { decimal: ',', thousands: Some('.') },
    Layout { decimal: '.', thousands: Some('\'') },
    Layout { decimal: ',', thousands: Some('\'') },
    Layout { decimal: '.', thousands: Some(' ') },
    Layout { decimal: ',', thousands: Some(' ') },
    Layout { decimal: '.', thousands: Some('_') },
];

/// A set of notations: a bit for each of [`LAYOUTS`], and one for hexadecimal numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layouts(u16);

impl Layouts {
    pub(crate) const ALL: Layouts = Layouts(u16::MAX);
    const NONE: Layouts = Layouts(0);
    const HEXADECIMAL: Layouts = Layouts(1 << LAYOUTS.len());
    /// Layouts of a whole number without separators.
    const WHOLE: Layouts = Layouts((1 << LAYOUTS.len()) - 1);

    /// Layouts whose decimal separator is a point.
    const POINT: Layouts = Layouts(0b1_0101_0101);
    /// The layout `1.234,5`.
    const POINT_THOUSANDS: Layouts = Layouts(0b1000);

    /// Layouts of a number with one point, by the number of digits before and behind it.
    fn of_fraction(whole: usize, zero: bool, fraction: usize) -> Layouts {
        // 1.018 may be a thousand and eighteen.
        let thousands = fraction == 3 && (1..=3).contains(&whole) && !zero;
        Layouts(Layouts::POINT.0 | if thousands { Layouts::POINT_THOUSANDS.0 } else { 0 })
    }

    pub(crate) fn and(self, other: Layouts) -> Layouts {
        Layouts(self.0 & other.0)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns true if the set holds nothing but hexadecimal numbers.
    pub(crate) fn is_hexadecimal(self) -> bool {
        self == Layouts::HEXADECIMAL
    }

    /// Returns true for numbers without any separator.
    pub(crate) fn is_whole(self) -> bool {
        self.and(Layouts::WHOLE) == Layouts::WHOLE
    }

    /// The layouts of the set, in the order of preference.
    pub(crate) fn iter(self) -> impl Iterator<Item = Layout> {
        LAYOUTS
            .into_iter()
            .enumerate()
            .filter(move |(index, _)| self.0 & (1 << index) != 0)
            .map(|(_, layout)| layout)
    }

    /// Those with one of these separators, where one is given. A `thousands` separator is also allowed to be absent.
    pub(crate) fn only(self, decimal: Option<char>, thousands: Option<char>) -> Layouts {
        let fits = |layout: &Layout| {
            decimal.is_none_or(|decimal| layout.decimal == decimal)
                && thousands.is_none_or(|thousands| layout.thousands.is_none_or(|own| own == thousands))
        };
        let kept = LAYOUTS.iter().enumerate().filter(|(_, layout)| fits(layout));
        let mask = kept.fold(Layouts::HEXADECIMAL.0, |mask, (index, _)| mask | 1 << index);
        Layouts(self.0 & mask)
    }
}

/// Notation of all numbers of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Notation {
    /// Digits with separators.
    Decimal(Layout),
    /// `0x1A3`
    Hexadecimal,
}

impl Notation {
    pub(crate) const PLAIN: Notation = Notation::Decimal(LAYOUTS[0]);

    /// The number of a cell in plain notation with few digits, as nearly all are; none for any other cell.
    #[inline]
    pub(crate) fn short(&self, text: &str) -> Option<f64> {
        if *self == Notation::PLAIN { short(text).map(|(number, _)| number) } else { None }
    }

    /// The number of a cell, without its unit; NaN for a cell that is none.
    pub(crate) fn number(&self, text: &str) -> f64 {
        if let Some(number) = self.short(text) {
            return number;
        }
        match self {
            Notation::Decimal(layout) => {
                if *layout == LAYOUTS[0]
                    && let Ok(number) = text.parse()
                {
                    return number;
                }
                let Some(cell) = Cell::new(text) else { return f64::NAN };
                cell.value(*layout)
            }
            Notation::Hexadecimal => hexadecimal(text).unwrap_or(f64::NAN),
        }
    }
}

/// A cell that holds a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Number<'a> {
    /// The notations in which it is one.
    pub(crate) layouts: Layouts,
    /// The unit behind it, or the currency before it; empty if it has none.
    pub(crate) unit: &'a str,
    /// Its value, if it is plain.
    pub(crate) plain: Option<f64>,
}

/// Reads a cell as a number, if it is one in any notation.
pub(crate) fn number(text: &str) -> Option<Number<'_>> {
    if let Some((plain, layouts)) = short(text) {
        return Some(Number { layouts, unit: "", plain: Some(plain) });
    }
    if let Ok(plain) = text.parse::<f64>() {
        return Some(Number { layouts: of_plain(text), unit: "", plain: Some(plain) });
    }
    if hexadecimal(text).is_some() {
        return Some(Number { layouts: Layouts::HEXADECIMAL, unit: "", plain: None });
    }
    let cell = Cell::new(text)?;
    let layouts = cell.layouts();
    (!layouts.is_empty()).then_some(Number { layouts, unit: cell.unit, plain: None })
}

/// Reads `12`, `-0.5` and their like, of at most 15 digits: the value that `str::parse` gives, in a third of its time.
///
/// Such digits as a whole number, and the power of ten that divides it, are exact in f64, so that the quotient is rounded once
/// (Clinger 1990, "How to read floating point numbers accurately").
#[inline]
fn short(text: &str) -> Option<(f64, Layouts)> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.len() > POWERS.len() {
        return None;
    }
    let (whole, mantissa) = leading_digits(digits, 0);
    let (value, layouts) = match digits.get(whole) {
        _ if whole == 0 => return None,
        None if whole < POWERS.len() => (mantissa as f64, Layouts::WHOLE),
        Some(b'.') => {
            let (fraction, mantissa) = leading_digits(&digits[whole + 1..], mantissa);
            if fraction == 0 || whole + 1 + fraction < digits.len() {
                return None;
            }
            (mantissa as f64 / POWERS[fraction], Layouts::of_fraction(whole, digits[0] == b'0', fraction))
        }
        _ => return None,
    };
    Some((if negative { -value } else { value }, layouts))
}

/// Number of digits at the start, at most 16, and the whole number that they continue.
#[inline]
fn leading_digits(bytes: &[u8], mut number: u64) -> (usize, u64) {
    let mut count = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        number = 10 * number + u64::from(digit);
        count += 1;
    }
    (count, number)
}

/// Powers of ten, exact in f64.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Layouts of a text that parses as it is: those of [`Cell::layouts`], which takes ten times as long.
fn of_plain(text: &str) -> Layouts {
    let Some((whole, fraction)) = text.split_once('.') else { return Layouts::WHOLE };
    let whole = whole.trim_start_matches(['-', '+']);
    let fraction = fraction.find(['e', 'E']).map_or(fraction, |end| &fraction[..end]);
    Layouts::of_fraction(whole.len(), whole.starts_with('0'), fraction.len())
}

fn hexadecimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| plain).map(|number| number as f64)
}

/// The parts of a cell that may be a number.
#[derive(Clone, Copy, Debug)]
struct Cell<'a> {
    negative: bool,
    /// Digits and separators.
    digits: &'a str,
    /// The digits behind `e`, with their sign; empty if there are none.
    exponent: &'a str,
    unit: &'a str,
}

impl<'a> Cell<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let currency = text.trim_start_matches(['€', '$', '£', '¥']);
        let mut unit = &text[..text.len() - currency.len()];
        let rest = currency.trim_start();
        let unsigned = rest.strip_prefix(['-', '\u{2212}']);
        let negative = unsigned.is_some();
        let rest = unsigned.unwrap_or_else(|| rest.strip_prefix('+').unwrap_or(rest));
        if !rest.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '.' | ',')) {
            return None;
        }
        let end = rest.find(|char: char| !char.is_ascii_digit() && !is_separator(char)).unwrap_or(rest.len());
        let (digits, mut rest) = rest.split_at(end);
        let mut exponent = "";
        if let Some(behind) = rest.strip_prefix(['e', 'E']).filter(|_| !digits.ends_with(char::is_whitespace))
        {
            let sign = usize::from(behind.starts_with(['+', '-']));
            let count = behind[sign..].bytes().take_while(u8::is_ascii_digit).count();
            if count > 0 {
                (exponent, rest) = behind.split_at(sign + count);
            }
        }
        let rest = rest.trim();
        if !rest.is_empty() {
            if !unit.is_empty() || !is_unit(rest) {
                return None;
            }
            unit = rest;
        }
        Some(Cell { negative, digits: digits.trim_end(), exponent, unit })
    }

    fn layouts(&self) -> Layouts {
        let fits = LAYOUTS.iter().enumerate().filter(|(_, layout)| self.fits(**layout));
        fits.fold(Layouts::NONE, |set, (index, _)| Layouts(set.0 | 1 << index))
    }

    /// Returns true if the separators stand where this layout puts them.
    fn fits(&self, layout: Layout) -> bool {
        let mut halves = self.digits.splitn(2, |char| same(char, layout.decimal));
        let whole = halves.next().unwrap_or_default();
        let fraction = halves.next();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if fraction.is_some_and(|fraction| !digits(fraction))
            || whole.is_empty() && fraction.is_none_or(str::is_empty)
        {
            return false;
        }
        let Some(thousands) = layout.thousands.filter(|&mark| whole.contains(|char| same(char, mark))) else {
            return digits(whole);
        };
        let mut blocks = whole.split(|char| same(char, thousands));
        let first = blocks.next().unwrap_or_default();
        let blocks: Vec<&str> = blocks.collect();
        let Some((last, middle)) = blocks.split_last() else { return false };
        // Indian numbers count in lakhs, 12,34,567.
        let grouped = |width| middle.iter().all(|block| block.len() == width);
        let whole = (1..=3).contains(&first.len()) && !first.starts_with('0');
        let lakhs = thousands == ',' && first.len() <= 2 && !middle.is_empty() && grouped(2);
        whole
            && last.len() == 3
            && (grouped(3) || lakhs)
            && digits(first)
            && blocks.iter().all(|block| digits(block))
    }

    fn value(&self, layout: Layout) -> f64 {
        if !self.fits(layout) {
            return f64::NAN;
        }
        let mut plain = String::with_capacity(self.digits.len() + self.exponent.len() + 2);
        if self.negative {
            plain.push('-');
        }
        for char in self.digits.chars() {
            if char.is_ascii_digit() {
                plain.push(char);
            } else if same(char, layout.decimal) {
                plain.push('.');
            }
        }
        if !self.exponent.is_empty() {
            plain.push('e');
            plain.push_str(self.exponent);
        }
        plain.parse().unwrap_or(f64::NAN)
    }
}

fn is_separator(char: char) -> bool {
    matches!(char, '.' | ',' | '\'' | '\u{2019}' | '_') || is_space(char)
}

/// Spaces that stand between thousands: also the ones that do not break, narrow or not.
fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\u{a0}' | '\u{2009}' | '\u{202f}')
}

/// Returns true if a character is this separator, or its typographic form.
fn same(char: char, separator: char) -> bool {
    match separator {
        ' ' => is_space(char),
        '\'' => matches!(char, '\'' | '\u{2019}'),
        _ => char == separator,
    }
}

/// A text that may be a unit: short, without spaces, `%`, `°C`, `m/s2`.
fn is_unit(text: &str) -> bool {
    let first = text.chars().next().is_some_and(|first| {
        first.is_alphabetic() || matches!(first, '%' | '°' | '€' | '$' | '£' | '¥' | 'µ' | '‰')
    });
    first
        && text.chars().count() <= 10
        && text.chars().all(|char| {
            char.is_alphanumeric()
                || matches!(char, '%' | '°' | '/' | '^' | '²' | '³' | '·' | '*' | '€' | '$' | '£' | '¥' | '‰')
        })
}

/// Units that need no further proof: few different numbers with them are numbers still, not categories.
const KNOWN_UNITS: [&str; 84] = [
    "%", "‰", "°", "°C", "°F", "C", "F", "K", "degC", "degF", "deg", "rad", "V", "mV", "uV", "µV", "kV", "A",
    "mA", "uA", "µA", "nA", "W", "mW", "kW", "MW", "Wh", "kWh", "mAh", "Ah", "J", "kJ", "Hz", "kHz", "MHz",
    "GHz", "s", "ms", "us", "µs", "ns", "sec", "min", "h", "g", "kg", "mg", "t", "m", "cm", "mm", "um", "µm",
    "km", "in", "ft", "Pa", "hPa", "kPa", "MPa", "bar", "mbar", "psi", "dB", "dBm", "dBA", "lux", "lx", "lm",
    "ppm", "ppb", "rpm", "RPM", "bpm", "dps", "N", "Nm", "l", "L", "ml", "mL", "T", "uT", "µT",
];

/// Returns true for a unit that is well known, or made of well-known ones as `m/s^2`, or a currency.
pub(crate) fn is_known_unit(unit: &str) -> bool {
    let bare = |part: &str| part.trim_end_matches(['²', '³', '2', '3', '^']).to_owned();
    matches!(unit, "€" | "$" | "£" | "¥" | "EUR" | "USD")
        || unit.split(['/', '*', '·']).all(|part| KNOWN_UNITS.contains(&bare(part).as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of a text, by the layouts that it fits.
    fn read(text: &str) -> Vec<f64> {
        let Some(number) = number(text) else { return Vec::new() };
        if number.layouts.is_hexadecimal() {
            return vec![Notation::Hexadecimal.number(text)];
        }
        let mut values: Vec<f64> =
            number.layouts.iter().map(|layout| Notation::Decimal(layout).number(text)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    #[test]
    fn a_cell_has_one_value_or_the_ones_that_it_may_have() {
        for (text, expected) in [
            ("12", vec![12.0]),
            ("-1.5e3", vec![-1500.0]),
            ("1.018", vec![1.018, 1018.0]),
            ("1,018", vec![1.018, 1018.0]),
            ("0,018", vec![0.018]),
            ("1.018,25", vec![1018.25]),
            ("1,018.25", vec![1018.25]),
            ("1,234,567", vec![1_234_567.0]),
            ("12,34,567.5", vec![1_234_567.5]),
            ("100'831", vec![100_831.0]),
            ("100\u{2019}831,5", vec![100_831.5]),
            ("1 234 567,5", vec![1_234_567.5]),
            ("1\u{202f}234", vec![1234.0]),
            ("1_000", vec![1000.0]),
            ("45.1%", vec![45.1]),
            ("\u{2212}3,5 °C", vec![-3.5]),
            ("$1,200.50", vec![1200.5]),
            ("0x1A3", vec![419.0]),
            ("1,5e-3", vec![0.0015]),
            (".5", vec![0.5]),
            ("1.5 m/s^2", vec![1.5]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
        for text in [
            "",
            ",",
            ".",
            "a,b",
            "1,5,2",
            "1 5",
            "12:03",
            "1.2.2024",
            "192.168.0.1",
            "--1",
            "1 foo bar",
            "e5",
        ] {
            assert_eq!(read(text), Vec::<f64>::new(), "{text}");
        }
    }

    #[test]
    fn plain_numbers_have_the_layouts_of_any_cell() {
        for text in
            ["1.5", "-1.018", "0.018", "+12.345", "1234.567", ".5", "5.", "1.018e3", "1.5e-3", "12", "-3e5"]
        {
            let cell = Cell::new(text).unwrap();
            assert_eq!(of_plain(text), cell.layouts(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn short_numbers_have_the_value_and_the_layouts_of_any_other(text in r"[-+]?[0-9]{0,9}\.?[0-9]{0,9}") {
            if let Some((value, layouts)) = short(&text) {
                proptest::prop_assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
                proptest::prop_assert_eq!(of_plain(&text), layouts);
            } else {
                proptest::prop_assert!(text.len() > 15 || text.starts_with(['.', '-', '+']) || text.ends_with('.') || text.is_empty());
            }
        }
    }

    #[test]
    fn units_are_told_from_words() {
        assert!(is_known_unit("m/s^2") && is_known_unit("°C") && !is_known_unit("st"));
        assert_eq!(number("22 C").map(|number| number.unit), Some("C"));
        assert_eq!(number("3D").map(|number| number.unit), Some("D"));
    }
}
