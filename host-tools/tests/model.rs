//! Model files: saved models load again, and any other file is an error, never a panic.

mod common;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::LazyLock;

use common::{model, rows, scaler};
use microdistill_train::dataset::{Kind, Target};
use microdistill_train::export::export;
use microdistill_train::metrics;
use microdistill_train::model::{Body, Model, Task};
use microdistill_train::network::int8::{Codes, DenseI8, NetworkI8};
use microdistill_train::network::precision::{Bits, Precision, Scales};
use microdistill_train::network::{Activation, Curve, Network};
use microdistill_train::quantize::quantize;
use microdistill_train::teacher::zoo;
use proptest::prelude::*;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use tempfile::TempDir;

/// A kind of damage and the message about it.
type Case<T> = (fn(&mut T), &'static str);

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(TempDir::new().unwrap())
    }
    fn path(&self) -> PathBuf {
        self.0.path().join("model.safetensors")
    }
    fn bytes(&self, model: &Model) -> Vec<u8> {
        model.save(self.path()).unwrap();
        std::fs::read(self.path()).unwrap()
    }
    fn load(&self, bytes: &[u8]) -> Result<Model, String> {
        std::fs::write(self.path(), bytes).unwrap();
        Model::load(self.path()).map_err(|error| error.to_string())
    }
}

fn models() -> Vec<Model> {
    let mut regression = model(&[3, 5, 1], Activation::Tanh, 2);
    regression.metadata.task = Task::Regression { targets: vec!["price".into()] };
    let mut several = model(&[3, 5, 2], Activation::Tanh, 2);
    several.metadata.task = Task::Regression { targets: vec!["price".into(), "mass, kg".into()] };
    several.metadata.target_origin = vec![0.0, 0.1 + 0.2];
    let model = model(&[4, 8, 6, 3], Activation::Relu, 1);
    let int8 = |scales: Scales| quantize(&model, &rows(4, 50, 2), scales).unwrap();
    let int4 = |scales| quantize(&model, &rows(4, 50, 2), Precision { bits: Bits::Four, scales }).unwrap();
    let regression_int8 = quantize(&regression, &rows(3, 50, 3), Scales::PerChannel).unwrap();
    let (group, channel) = (int4(Scales::PerGroup), int4(Scales::PerChannel));
    let ensemble = ensemble(&[4, 8, 6, 3]);
    vec![
        int8(Scales::PerChannel),
        int8(Scales::PerLayer),
        regression,
        model,
        regression_int8,
        group,
        channel,
        ensemble,
        several,
        blend(Kind::Classification),
        blend(Kind::Regression),
    ]
}

/// An ensemble of two networks.
fn ensemble(widths: &[usize]) -> Model {
    let members = [1, 2].map(|seed| {
        let Body::F32(network) = model(widths, Activation::Relu, seed).body else { unreachable!() };
        network
    });
    Model { body: Body::Ensemble(members.into()), ..model(widths, Activation::Relu, 1) }
}

/// A blend of members of every kind, trained on a few rows.
fn blend(kind: Kind) -> Model {
    let mut data = model(&[3, 4, 3], Activation::Relu, 1).example_rows();
    data.x = rows(3, 24, 5);
    (data.task, data.target) = match kind {
        Kind::Classification => (data.task, Target::Classes((0..24).map(|row| row % 3).collect())),
        Kind::Regression => {
            let targets = ["a", "b"].map(String::from).into();
            (Task::Regression { targets }, Target::Values(rows(2, 24, 6)))
        }
    };
    let settings =
        zoo::Settings { species: zoo::Species::ALL.into(), ..zoo::Settings::of(zoo::Effort::Quick, 1) };
    let fitted = zoo::fit(&data, &settings, &|_| ControlFlow::Continue(())).unwrap();
    // A learner without a weight has no part in the blend, so each kind is trained alone, and all are heard alike.
    let mut members = Vec::new();
    let mut joint = fitted.model;
    for species in zoo::Species::ALL {
        let alone = zoo::Settings { species: vec![species], ..settings.clone() };
        let fitted = zoo::fit(&data, &alone, &|_| ControlFlow::Continue(())).unwrap();
        let Body::Blend(blend) = fitted.model.body else { unreachable!() };
        members.extend(blend.members);
    }
    let weight = 1.0 / members.len() as f32;
    members.iter_mut().for_each(|part| part.weight = weight);
    if let Body::Blend(blend) = &mut joint.body {
        blend.members = members;
    }
    joint
}

#[test]
fn what_is_saved_is_loaded() {
    let folder = Folder::new();
    for model in models() {
        let bytes = folder.bytes(&model);
        let loaded = folder.load(&bytes).unwrap();
        assert_eq!(loaded, model);
        assert_eq!(folder.bytes(&loaded), bytes, "the same model gives the same file");
        assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 1, "no temporary file is left");
    }
}

#[test]
fn one_target_is_written_as_ever_and_several_as_a_list() {
    let metadata = |task: Task, origin: &[f64]| {
        let mut model = model(&[3, task.outputs()], Activation::Relu, 1);
        model.metadata.task = task;
        model.metadata.target_origin = origin.to_vec();
        let bytes = model.to_bytes().unwrap();
        assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
        String::from_utf8_lossy(&bytes).replace("\\\"", "\"")
    };
    let targets =
        |names: &[&str]| Task::Regression { targets: names.iter().map(|&name| name.into()).collect() };
    let single = metadata(targets(&["price"]), &[52.5]);
    assert!(single.contains(r#""task":{"kind":"regression","target":"price"}"#), "{single}");
    assert!(single.contains(r#""target_origin":52.5"#), "{single}");
    let several = metadata(targets(&["price", "a"]), &[52.5, 0.0]);
    assert!(several.contains(r#""task":{"kind":"regression","target":["price","a"]}"#), "{several}");
    assert!(several.contains(r#""target_origin":[52.5,0.0]"#), "{several}");
    assert!(!metadata(targets(&["price", "a"]), &[]).contains("target_origin"));
}

/// Written when a model had a single target.
#[test]
fn a_file_of_one_target_reads_as_ever() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/models/one-target.safetensors");
    let model = Model::load(file).unwrap();
    assert_eq!(model.metadata.task, Task::Regression { targets: vec!["time".into()] });
    assert_eq!(model.metadata.target_origin, [1_732_800_000_400.0]);
    // The time of row 20 is 1732800000401.
    let values = model.metadata.values(&model.logits(&[20.0]));
    let value: f64 = values[0].parse().unwrap();
    assert!(values.len() == 1 && (value - 1_732_800_000_401.0).abs() < 100.0, "{values:?}");
    assert_eq!(Model::from_bytes(&model.to_bytes().unwrap()).unwrap(), model);
}

#[test]
fn negative_zeros_and_subnormals_keep_their_bits() {
    let folder = Folder::new();
    let mut model = model(&[2, 2], Activation::Relu, 1);
    let Body::F32(network) = &mut model.body else { unreachable!() };
    network.layers_mut()[0].set_weights(&[-0.0, f32::from_bits(1), f32::MAX, f32::MIN_POSITIVE]);
    let loaded = folder.load(&folder.bytes(&model)).unwrap();
    let Body::F32(network) = &loaded.body else { panic!("another kind of network") };
    let bits: Vec<u32> = network.layers()[0].weights().iter().map(|weight| weight.to_bits()).collect();
    assert_eq!(bits, [1 << 31, 1, f32::MAX.to_bits(), f32::MIN_POSITIVE.to_bits()]);
}

#[test]
fn scores_that_are_no_numbers_are_left_out() {
    let folder = Folder::new();
    let mut model = model(&[2, 2], Activation::Relu, 1);
    model.metadata.scores.insert("r2".into(), f64::NAN);
    let loaded = folder.load(&folder.bytes(&model)).unwrap();
    assert_eq!(loaded.metadata.scores.len(), 2);
}

#[test]
fn activations_go_by_their_names() {
    use Activation::{Identity, LeakyRelu, Relu, Relu6, Sigmoid, Tanh};
    let folder = Folder::new();
    for hidden in [Identity, Relu, Relu6, LeakyRelu, Tanh, Sigmoid] {
        let model = model(&[4, 5, 3], hidden, 1);
        let bytes = folder.bytes(&model);
        assert_eq!(folder.load(&bytes).unwrap(), model);
        let int8 = quantize(&model, &rows(4, 50, 2), Scales::PerChannel).unwrap();
        assert_eq!(folder.load(&folder.bytes(&int8)).unwrap(), int8);
        let names = format!(r#"\"activations\":[\"{}\",\"identity\"]"#, hidden.name());
        assert!(String::from_utf8_lossy(&bytes).contains(&names), "{names}");
    }
}

#[test]
fn unusable_models_are_not_saved() {
    let cases: [Case<Model>; 7] = [
        (|model| scaler(model).scale[1] = f32::INFINITY, "scaler.scale holds inf at position 1"),
        (|model| scaler(model).mean.truncate(3), "scaler.mean has 3 values, but the model has 4 features"),
        (
            |model| f32_layers(model)[1].edit_weights(|weights| weights[2] = f32::NAN),
            "layers.1.weights holds NaN at position 2",
        ),
        (|model| f32_layers(model)[1].bias.truncate(5), "layers.1.weights has 48 values"),
        (|model| f32_layers(model)[2].activation = Activation::Relu, "the last layer has an activation"),
        (
            |model| f32_layers(model)[1].activation = Activation::Curve(Curve::Elu(f32::NAN)),
            "the activation Curve(Elu(NaN)) has a constant that is not finite",
        ),
        (
            |model| model.metadata.task = Task::Regression { targets: vec!["x".into()] },
            "the model has 1 targets, but its last layer has 3 outputs",
        ),
    ];
    let folder = Folder::new();
    for (damage, message) in cases {
        let mut model = models().remove(3);
        damage(&mut model);
        let error = model.save(folder.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
        assert!(!folder.path().exists());
    }
}

#[test]
fn an_ensemble_averages_probabilities_and_runs_on_no_board() {
    let ensemble = ensemble(&[4, 8, 3]);
    let Body::Ensemble(members) = &ensemble.body else { unreachable!() };
    let probabilities = |logits: &[f32]| metrics::probabilities(logits).0;
    for raw in rows(4, 20, 7).column_iter() {
        let x = ensemble.prepare(raw.as_slice());
        let [a, b] = [0, 1].map(|member: usize| probabilities(&members[member].predict(&x)));
        let both = probabilities(&ensemble.logits(raw.as_slice()));
        for ((both, a), b) in both.iter().zip(a).zip(b) {
            assert!((both - 0.5 * (a + b)).abs() < 1e-6);
        }
    }
    assert_eq!((ensemble.parameters(), ensemble.widths()), (2 * 67, vec![4, 8, 3]));
    let refused = "the model is an ensemble of 2 networks, which no board runs: distill a student from it";
    let error = quantize(&ensemble, &rows(4, 50, 2), Scales::PerChannel).unwrap_err();
    assert_eq!(error.to_string(), refused);
    assert_eq!(export(&ensemble, "TEACHER", "").unwrap_err().to_string(), refused);
}

#[test]
fn unusable_ensembles_are_not_saved() {
    fn members(model: &mut Model) -> &mut Vec<Network> {
        let Body::Ensemble(members) = &mut model.body else { unreachable!() };
        members
    }
    let cases: [Case<Model>; 3] = [
        (|model| members(model).clear(), "an ensemble needs at least one member"),
        (
            |model| members(model)[1].layers_mut()[1].bias[2] = f32::NAN,
            "members.1.layers.1.bias holds NaN at position 2",
        ),
        (
            |model| members(model)[1] = Network::zero(&[4, 7, 3], Activation::Relu),
            "member 1 of the ensemble has another shape than the first",
        ),
    ];
    let folder = Folder::new();
    for (damage, message) in cases {
        let mut model = ensemble(&[4, 8, 3]);
        damage(&mut model);
        let error = model.save(folder.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

fn f32_layers(model: &mut Model) -> &mut [microdistill_train::network::Dense] {
    let Body::F32(network) = &mut model.body else { unreachable!() };
    network.layers_mut()
}

fn hidden(network: &mut NetworkI8) -> impl Iterator<Item = &mut DenseI8> {
    network.layers.iter_mut().take(2)
}

#[test]
fn unusable_int8_models_are_not_saved() {
    let cases: [Case<NetworkI8>; 8] = [
        (|network| network.layers[1].weights[3] = -128, "layers.1.weights holds -128"),
        (|network| network.layers[1].weight_scales[2] = 0.0, "layers.1.weight_scale holds 0"),
        (|network| network.layers[1].weight_scales.truncate(4), "layers.1.weight_scale has 4 values"),
        (|network| network.input.scale = -1.0, "activations.scale holds -1"),
        (
            |network| hidden(network).for_each(|layer| layer.activation = Activation::LeakyRelu),
            "layer 0: leaky-relu needs the codes of its sums",
        ),
        (|network| network.layers[1].sums = Some(network.input), "layer 1: relu has no codes of sums"),
        (
            |network| {
                let input = network.input;
                let tanh =
                    |layer: &mut DenseI8| (layer.activation, layer.sums) = (Activation::Tanh, Some(input));
                hidden(network).for_each(tanh);
            },
            "layer 0: the outputs of tanh must have the scale 0.0078125 and the zero point 0",
        ),
        (
            |network| {
                let sums = Some(Codes { scale: 0.0, zero: 0 });
                let leaky =
                    |layer: &mut DenseI8| (layer.activation, layer.sums) = (Activation::LeakyRelu, sums);
                hidden(network).for_each(leaky);
            },
            "sums.scale holds 0",
        ),
    ];
    let folder = Folder::new();
    for (damage, message) in cases {
        let mut model = models().remove(0);
        let Body::Int8(network) = &mut model.body else { unreachable!() };
        damage(network);
        let error = model.save(folder.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn unusable_int4_models_are_not_saved() {
    let cases: [Case<NetworkI8>; 6] = [
        (|network| network.layers[1].weights[3] = -128, "layers.1.weights holds -128"),
        (
            |network| network.layers[1].weights[0] += 1,
            "layers.1.weights: an int4 weight must be the scale of its group times a number in [-7, 7]",
        ),
        (
            |network| network.layers[0].group_scales[1] = 19,
            "layers.0.group_scale holds a number outside [1, 18]",
        ),
        (
            |network| network.layers[0].group_scales[1] = 0,
            "layers.0.group_scale holds a number outside [1, 18]",
        ),
        (|network| network.layers[2].group_scales.clear(), "layers.0.group_scale has 8 values, expected 0"),
        (|network| network.layers[1].weight_scales.truncate(1), "int4 needs one per output"),
    ];
    let folder = Folder::new();
    for (damage, message) in cases {
        let mut model = models().remove(5);
        let Body::Int4(network) = &mut model.body else { unreachable!() };
        damage(network);
        let error = model.save(folder.path()).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

type Tensor = (String, Dtype, Vec<usize>, Vec<u8>);

/// Returns the file with changed tensors.
fn rewrite(bytes: &[u8], change: impl FnOnce(&mut Vec<Tensor>)) -> Vec<u8> {
    let (_, header) = SafeTensors::read_metadata(bytes).unwrap();
    let file = SafeTensors::deserialize(bytes).unwrap();
    let tensor = |(name, view): (&str, TensorView)| {
        (name.to_owned(), view.dtype(), view.shape().to_vec(), view.data().to_vec())
    };
    let mut tensors: Vec<Tensor> = file.iter().map(tensor).collect();
    change(&mut tensors);
    let view = |(name, dtype, shape, data): &'static Tensor| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap())
    };
    let tensors: &'static [Tensor] = tensors.leak();
    safetensors::serialize(tensors.iter().map(view), header.metadata().clone()).unwrap()
}

fn named<'a>(tensors: &'a mut [Tensor], name: &str) -> &'a mut Tensor {
    tensors.iter_mut().find(|tensor| tensor.0 == name).unwrap()
}

#[test]
fn errors_name_the_tensor() {
    let cases: [Case<Vec<Tensor>>; 7] = [
        (
            |tensors| tensors.retain(|tensor| tensor.0 != "layers.1.bias"),
            "the tensor layers.1.bias is missing",
        ),
        (
            |tensors| named(tensors, "scaler.mean").1 = Dtype::I32,
            "the tensor scaler.mean is I32, expected F32",
        ),
        (|tensors| named(tensors, "layers.0.weights").2 = vec![32], "layers.0.weights has the shape [32]"),
        (|tensors| named(tensors, "layers.0.weights").2 = vec![4, 8], "layers.0.bias has 8 values"),
        (
            |tensors| named(tensors, "layers.2.weights").3[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
            "layers.2.weights holds NaN at position 0",
        ),
        (|tensors| tensors.push(("more".into(), Dtype::U8, vec![1], vec![0])), "1 tensors more"),
        (
            |tensors| *named(tensors, "examples") = ("examples".into(), Dtype::F32, vec![0, 9], vec![]),
            "examples has 9",
        ),
    ];
    let folder = Folder::new();
    let bytes = folder.bytes(&models()[3]);
    for (change, message) in cases {
        let damaged = rewrite(&bytes, change);
        let error = folder.load(&damaged).unwrap_err();
        assert!(error.contains(message) && error.contains("model.safetensors: "), "{error}");
    }
}

#[test]
fn other_files_are_told_apart() {
    let folder = Folder::new();
    let bytes = folder.bytes(&models()[3]);
    let foreign = safetensors::serialize([("w", TensorView::new(Dtype::U8, vec![1], &[0]).unwrap())], None);
    assert!(folder.load(&foreign.unwrap()).unwrap_err().contains("not a model of microdistill"));
    assert!(folder.load(b"a,b\n1,2\n").unwrap_err().contains("not a safetensors file"));
    assert!(folder.load(b"").unwrap_err().contains("not a safetensors file"));
    let key = b"version\\\":";
    let newer = bytes.windows(key.len()).position(|window| window == key).unwrap() + key.len();
    let mut newer_bytes = bytes.clone();
    newer_bytes[newer] = b'9';
    let error = folder.load(&newer_bytes).unwrap_err();
    assert!(error.contains("format version 9"), "{error}");
    for length in 0..bytes.len() {
        assert!(folder.load(&bytes[..length]).is_err(), "the first {length} bytes");
    }
}

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Folder::new();
    models().iter().map(|model| folder.bytes(model)).collect()
});

proptest! {
    #[test]
    fn any_targets_come_back(
        targets in prop::collection::vec((".{0,12}", prop::num::f64::NORMAL | prop::num::f64::ZERO), 1..6),
        with_origins: bool,
        quantized: bool,
    ) {
        let (names, origins): (Vec<String>, Vec<f64>) = targets.into_iter().unzip();
        let mut model = model(&[3, 4, names.len()], Activation::Relu, 1);
        model.metadata.target_origin = if with_origins { origins } else { Vec::new() };
        model.metadata.task = Task::Regression { targets: names };
        if quantized {
            model = quantize(&model, &rows(3, 20, 3), Scales::PerChannel).unwrap();
        }
        let bytes = model.to_bytes().unwrap();
        let loaded = Model::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&loaded, &model);
        prop_assert_eq!(loaded.to_bytes().unwrap(), bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn damaged_files_never_panic(
        which in 0usize..FILES.len(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let folder = Folder::new();
        let mut bytes = FILES[which].clone();
        for (index, byte) in &damage {
            let index = index.index(bytes.len());
            bytes[index] = *byte;
        }
        if let Ok(model) = folder.load(&bytes) {
            // A model that loads can be used and saved.
            prop_assert_eq!(model.logits(&vec![1.0; model.features().len()]).len(), model.outputs());
            prop_assert!(model.save(folder.path()).is_ok());
        }
    }
}
