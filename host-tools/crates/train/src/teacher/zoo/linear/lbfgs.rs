//! Minimization of smooth convex functions by L-BFGS (Liu and Nocedal 1989).

use std::collections::VecDeque;

use crate::error::Result;

/// Function to minimize: returns its value at a point and writes its gradient.
type Function<'a> = &'a mut dyn FnMut(&[f64], &mut [f64]) -> Result<f64>;

/// Pairs of steps and changes of the gradient that are remembered.
const MEMORY: usize = 10;
/// The search ends where the largest component of the gradient is smaller.
const TOLERANCE: f64 = 1e-6;
/// Share of the decrease that the slope promises, which a step must reach.
const DECREASE: f64 = 1e-4;
/// Most halvings of a step.
const HALVINGS: usize = 30;

/// Minimizes a function from `x` on, in at most `steps` steps. `function` returns its value and writes its gradient.
///
/// # Errors
/// Returns the first error of `function`.
pub(super) fn minimize(mut x: Vec<f64>, steps: usize, function: Function<'_>) -> Result<Vec<f64>> {
    let mut gradient = vec![0.0; x.len()];
    let mut value = function(&x, &mut gradient)?;
    let mut memory: VecDeque<(Vec<f64>, Vec<f64>, f64)> = VecDeque::new();
    for _ in 0..steps {
        if gradient.iter().all(|slope| slope.abs() < TOLERANCE) {
            break;
        }
        let mut direction = direction(&gradient, &memory);
        let mut slope = dot(&direction, &gradient);
        if slope.is_nan() || slope >= 0.0 {
            memory.clear();
            direction = gradient.iter().map(|slope| -slope).collect();
            slope = dot(&direction, &gradient);
        }
        let (mut length, mut accepted) = (1.0, None);
        for _ in 0..HALVINGS {
            let next: Vec<f64> = x.iter().zip(&direction).map(|(x, step)| x + length * step).collect();
            let mut slopes = vec![0.0; x.len()];
            let reached = function(&next, &mut slopes)?;
            if reached <= value + DECREASE * length * slope {
                accepted = Some((next, slopes, reached));
                break;
            }
            length *= 0.5;
        }
        let Some((next, slopes, reached)) = accepted else { break };
        let step: Vec<f64> = next.iter().zip(&x).map(|(next, x)| next - x).collect();
        let change: Vec<f64> = slopes.iter().zip(&gradient).map(|(next, slope)| next - slope).collect();
        let product = dot(&step, &change);
        if product > 0.0 {
            memory.truncate(MEMORY - 1);
            memory.push_front((step, change, product));
        }
        (x, gradient, value) = (next, slopes, reached);
    }
    Ok(x)
}

/// Returns the direction of the next step: the gradient times the approximate inverse of the second derivatives.
fn direction(gradient: &[f64], memory: &VecDeque<(Vec<f64>, Vec<f64>, f64)>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut factors = Vec::with_capacity(memory.len());
    for (step, change, product) in memory {
        let factor = dot(step, &direction) / product;
        add(&mut direction, -factor, change);
        factors.push(factor);
    }
    if let Some((_, change, product)) = memory.front() {
        let scale = product / dot(change, change);
        direction.iter_mut().for_each(|slope| *slope *= scale);
    }
    for ((step, change, product), factor) in memory.iter().zip(factors).rev() {
        let back = dot(change, &direction) / product;
        add(&mut direction, factor - back, step);
    }
    direction
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += factor * from);
}

#[cfg(test)]
mod tests {
    use super::minimize;

    #[test]
    fn finds_the_minimum_of_a_narrow_valley() {
        let mut valley = |x: &[f64], slopes: &mut [f64]| {
            slopes.copy_from_slice(&[2.0 * (x[0] - 3.0), 2000.0 * (x[1] + x[0])]);
            slopes[0] += 2000.0 * (x[1] + x[0]);
            Ok((x[0] - 3.0).powi(2) + 1000.0 * (x[1] + x[0]).powi(2))
        };
        let found = minimize(vec![0.0; 2], 100, &mut valley).unwrap();
        assert!((found[0] - 3.0).abs() < 1e-4 && (found[1] + 3.0).abs() < 1e-4, "{found:?}");
    }
}
