//! Cargo features only add types: with any of them enabled, exported networks compute the same bits as the desktop.

#[allow(dead_code, reason = "firmware uses more of an exported file")]
#[path = "../examples/models/watch_small/student.rs"]
mod f32;
#[allow(dead_code, reason = "firmware uses more of an exported file")]
#[path = "../examples/models/watch_small/model.rs"]
mod int8;

#[test]
fn exported_networks_pass_their_self_tests() {
    assert_eq!(f32::self_test(), Ok(()));
    assert_eq!(int8::self_test(), Ok(()));
}

#[cfg(feature = "defmt")]
#[test]
fn values_can_be_logged() {
    use microdistill::{Scaler, Strict, golden, layer, loss, metric, optimizer, quant, scaler, schedule};

    fn values<T: defmt::Format>() {}
    values::<(microdistill::End, layer::Role, golden::Mismatch, golden::Stage)>();
    values::<golden::Golden<3, [f32; 3], [f32; 2]>>();
    values::<(loss::Soft<'_>, loss::SoftLabels, loss::SmoothedCrossEntropy, loss::CrossEntropy)>();
    values::<loss::BinaryCrossEntropy>();
    values::<(metric::Accuracy, metric::Brier, metric::NegativeLogLikelihood)>();
    values::<(optimizer::AdamRates, optimizer::SgdRates)>();
    values::<(
        quant::Clamp,
        quant::Dequantize,
        quant::DequantizeEach<2>,
        quant::Quantize<3>,
        quant::Requantize,
    )>();
    values::<(Scaler<3>, Strict<'_, Scaler<3>>, scaler::Missing)>();
    values::<(schedule::Constant, schedule::HalfCosine, schedule::Step)>();
}

#[cfg(feature = "nalgebra")]
#[test]
fn views_are_the_arrays_themselves() {
    use microdistill::{Dense, activation::Relu, layout::ByInput, view::column};

    let mut layer = Dense::<3, 2, Relu>::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [7.0, 8.0]);
    for (place, weight) in layer.weights().iter().enumerate() {
        assert!(std::ptr::eq(&layer.weights_view()[(place % 3, place / 3)], weight));
    }
    assert!(std::ptr::eq(&layer.bias_view()[1], &layer.bias[1]));
    layer.weights_view_mut()[(0, 1)] = -4.0;
    assert_eq!(layer.weights(), [1.0, 2.0, 3.0, -4.0, 5.0, 6.0]);
    let outputs = layer.weights_view().tr_mul(&column(&[1.0, 1.0, 1.0])) + layer.bias_view();
    assert_eq!(outputs.as_slice(), [13.0, 15.0]);
    // The transpose, as in backpropagation.
    assert_eq!((layer.weights_view() * column(&[1.0, 1.0])).as_slice(), [-3.0, 7.0, 9.0]);

    let mut by_input = Dense::<3, 2, Relu, f32, ByInput>::new([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [7.0, 8.0]);
    for (place, weight) in by_input.weights().iter().enumerate() {
        assert!(std::ptr::eq(&by_input.weights_view()[(place % 2, place / 2)], weight));
    }
    by_input.weights_view_mut()[(1, 0)] = -4.0;
    assert_eq!(by_input.weights(), [1.0, -4.0, 2.0, 5.0, 3.0, 6.0]);
    let outputs = by_input.weights_view() * column(&[1.0, 1.0, 1.0]) + by_input.bias_view();
    assert_eq!(outputs.as_slice(), [13.0, 15.0]);
}
