//! Derivatives by finite differences, and the tolerance for comparing with them.

use std::cell::Cell;

/// The largest `|a − b| / max(|a|, |b|, FLOOR)` of equal numbers.
const TOLERANCE: f64 = 1e-9;

/// Below this size the error is absolute, because differences resolve a small derivative only up to the roundoff of
/// `f / STEP`.
const FLOOR: f64 = 1e-2;

/// Step of the differences. A smaller one increases roundoff; with a larger one, units cross ReLU's kink.
const STEP: f64 = 1.0 / 256.0;

/// `f′(0)` by the central difference of sixth order, whose error `STEP⁶ / 140 · f⁽⁷⁾` is below roundoff.
pub(crate) fn derivative(mut f: impl FnMut(f64) -> f64) -> f64 {
    let mut difference = |steps: f64| f(steps * STEP) - f(-steps * STEP);
    (45.0 * difference(1.0) - 9.0 * difference(2.0) + difference(3.0)) / (60.0 * STEP)
}

/// Asserts that two numbers are equal within [`TOLERANCE`].
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64) {
    let error = (found - expected).abs() / found.abs().max(expected.abs()).max(FLOOR);
    assert!(error < TOLERANCE, "{found} for {expected}: off by {error:.1e}");
    COMPARED.set(COMPARED.get() + 1);
}

/// [`assert_close`], element by element.
#[track_caller]
pub(crate) fn assert_all_close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (&found, &expected) in found.iter().zip(expected) {
        assert_close(found, expected);
    }
}

thread_local! { static COMPARED: Cell<usize> = const { Cell::new(0) } }

/// Number of successful comparisons on this thread.
pub(crate) fn compared() -> usize {
    COMPARED.get()
}

#[test]
fn derivatives_are_exact_to_nine_digits() {
    for x in [-2.0f64, -0.3, 0.1, 1.0, 3.0] {
        assert_close(derivative(|h| (x + h).exp()), x.exp());
        assert_close(derivative(|h| (3.0 * (x + h)).sin()), 3.0 * (3.0 * x).cos());
    }
}

#[test]
#[should_panic(expected = "off by")]
fn a_difference_in_the_eighth_digit_is_detected() {
    assert_close(1.000_000_01, 1.0);
}

#[test]
#[should_panic(expected = "off by")]
fn nan_is_close_to_nothing() {
    assert_close(f64::NAN, f64::NAN);
}
