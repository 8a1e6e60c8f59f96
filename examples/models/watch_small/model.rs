// Exported by microdistill: change the model and export again, not this file.
//
// made by: microdistill demo
// model by: microdistill demo
// data: bc9735cb72daf6ba
// seed: 1
// target: exercise
// scores: test accuracy 0.8462, test nll 0.3290, train accuracy 0.9745, train nll 0.1040

/// The network's type.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub type Student = ::microdistill::MlpI8![30, 16, 7];

/// What the network takes.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub type Input = [i8; 30];

/// What it gives.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub type Output = [i8; 7];

/// Raw features to the network's input. For a value that is missing give its mean, which is in here: NaN stays NaN.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static INPUT: ::microdistill::quant::Quantize<30> = ::microdistill::quant::Quantize {
    scaler: ::microdistill::Scaler::new(
        [
            -0.0065837787, 0.38734925, -0.14030099, 0.018063782, -0.0070447465, 0.016291142, 0.44073057,
            0.24464446, 0.39058238, 0.87608725, 2.1855965, 0.95290214, -0.7864072, -0.21307407, -1.0008013,
            -2.466419, -3.8301256, -1.8748647, 0.77967185, 0.9602725, 0.6606367, 2.4677877, 3.7913904,
            1.9881989, 0.056293726, 0.06749064, 0.06640564, 0.31454885, 0.19651736, 0.12545711,
        ],
        [
            1.3673757, 2.5262651, 3.5963748, 5.6252823, 4.0501933, 6.5135875, 2.7407086, 5.1279182, 3.3453035,
            1.9587878, 0.72997224, 1.761028, 1.0280797, 1.522554, 1.2048658, 0.50693107, 0.4505426,
            0.99313474, 1.1065223, 1.6920722, 1.7885953, 0.7145872, 0.45796448, 0.99419844, 24.47465,
            22.997025, 24.238426, 5.906605, 8.080984, 17.259712,
        ],
    ),
    scale: 0.082101926,
    zero: 36,
};

/// `STUDENT.predict(&INPUT.apply(&raw))` gives codes, in the order of the logits or values they stand for.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static STUDENT: Student = {
    use ::microdistill::{Network, quant::{Clamp, DenseI8, Requantize}};
    const WEIGHTS_0: [[i8; 30]; 16] = [
        [
            -8, 127, -15, -47, -14, 0, 46, 30, 0, -26, 12, 5, 43, 44, -28, 18, -35, -14, -30, -12, 32, 53, 45,
            32, -94, 17, -9, 1, 43, -16,
        ],
        [
            23, -58, 33, -85, 2, 2, 87, 44, -23, -39, -127, -39, -12, -75, 37, 2, 30, -20, 3, 1, 34, 6, -64,
            28, 44, 83, 26, 15, -14, -22,
        ],
        [
            8, -31, -14, -36, 7, -7, -127, -31, -21, -58, -4, -16, 24, -26, -23, -5, -11, -5, -15, -16, -8,
            18, -2, -7, 8, 16, -37, 49, 20, 25,
        ],
        [
            2, -61, -81, 32, 9, -27, 109, -12, 0, 10, 114, 65, 36, -74, -75, 0, 21, 30, 1, -19, -92, 35, -17,
            -21, -81, -38, -127, -48, 50, 74,
        ],
        [
            -4, 9, -27, 74, 0, 5, 77, 5, -37, 15, -18, 57, -38, 4, 28, 31, 36, 8, 41, 4, -19, 4, -12, 2, -6,
            -18, 29, -127, 22, 17,
        ],
        [
            20, -9, 49, 30, 8, 18, -3, -60, 69, 121, -5, -55, -72, 28, 11, -19, 31, -19, 7, 53, 58, -36, 9,
            -13, 88, -127, 46, 36, -107, -73,
        ],
        [
            9, -63, 5, 9, 0, 35, 127, -28, 101, 108, 8, 0, -81, 14, 72, -19, -72, 12, 43, 55, -3, -56, -14,
            -31, 42, -9, -16, 29, -43, -77,
        ],
        [
            22, -64, 5, -12, 0, -4, 5, -59, 59, 12, -38, -2, 10, -3, 59, 39, -66, -29, -6, -54, -49, -39, 48,
            -24, -27, -56, -19, 84, -127, -77,
        ],
        [
            25, 127, 48, 42, 4, 2, -87, 6, 8, 2, 3, -9, 14, 81, 38, 30, -19, 11, -40, 46, -35, -17, 5, 22,
            -110, -45, -36, -10, 40, -106,
        ],
        [
            -29, 81, 52, -70, 7, 5, -53, -59, 101, -23, -22, -57, 84, 5, 29, -50, 6, -7, -80, 44, 28, -14, 22,
            20, -9, 91, 6, 127, -56, -35,
        ],
        [
            -7, 71, 29, -48, 4, 4, 64, -64, -127, -26, -50, -22, -34, 54, -28, -20, 9, 43, 44, 0, 0, 14, 10,
            17, 15, 55, -55, -57, 47, 28,
        ],
        [
            -11, -60, 15, 13, 29, -20, -19, -61, -74, -52, -42, -38, 50, 25, 42, 17, 30, -20, -40, -78, -112,
            -3, -25, 27, -28, 118, -40, -127, -33, 51,
        ],
        [
            -20, -53, -8, 121, -7, 2, -92, 76, 127, 22, -5, 59, 41, -8, 36, 44, 2, -24, -56, -29, 7, -10, -13,
            -5, -107, -82, 51, 122, -5, -18,
        ],
        [
            -14, 79, -40, 4, -4, 17, -14, 103, -95, -23, 7, -4, 91, -127, -126, 42, -33, 14, 2, -66, 2, 0,
            -56, -47, -83, -25, -5, -11, 72, 95,
        ],
        [
            7, 1, -16, -86, -3, -6, 95, -15, -127, -84, 39, -25, -80, 1, -82, -40, 49, 3, 55, -20, 37, -16,
            15, 38, -18, 69, -34, 11, 40, 13,
        ],
        [
            -26, 2, -108, 12, -3, 9, 127, 91, 66, 59, 2, 60, 36, -79, -20, 37, 21, -24, 22, -53, 33, -27, 45,
            -55, -36, -46, 67, 75, -36, -47,
        ],
    ];
    const BIAS_0: [i32; 16] = [
        -5077, 5879, 12028, 8646, -5103, -1635, -4540, 16572, 453, -2991, 1784, 17848, -3529, 9259, 8106,
        -5143,
    ];
    const WEIGHTS_1: [[i8; 16]; 7] = [
        [67, 39, 15, 89, 50, -53, -13, -127, -35, -58, -42, -35, -46, 3, 65, 57],
        [54, -44, -35, -23, -27, 42, -17, 4, 42, 89, -127, -85, 126, -19, -72, 13],
        [24, -14, -61, -5, 25, 73, 45, 127, -83, 15, -53, -46, -30, -77, 0, 45],
        [50, -68, 17, -11, -25, -32, 10, -20, 20, 55, 101, 12, -127, -21, 45, -64],
        [-13, -127, 1, 40, 89, -61, -41, -15, 36, -68, -69, 50, 107, 52, 8, -53],
        [-54, 64, -94, -78, 105, -3, -44, -16, -60, 0, 109, 90, -127, -18, 11, -19],
        [-44, 85, 127, -11, -89, 2, -84, -20, -124, 32, -49, 52, 35, 15, -36, 16],
    ];
    const BIAS_1: [i32; 7] = [-532, -9228, -3122, -7200, -11071, -17264, -12473];
    Network::new(
        DenseI8::new(
            WEIGHTS_0,
            BIAS_0,
            [
                Requantize::new(1119655011, -5),
                Requantize::new(1720383132, -6),
                Requantize::new(1931422377, -5),
                Requantize::new(1665317445, -6),
                Requantize::new(1445478650, -5),
                Requantize::new(1802894975, -6),
                Requantize::new(1943429348, -6),
                Requantize::new(1177883441, -5),
                Requantize::new(1471764978, -6),
                Requantize::new(1855838089, -6),
                Requantize::new(1464748810, -5),
                Requantize::new(1979675351, -6),
                Requantize::new(2063995027, -6),
                Requantize::new(1400977224, -6),
                Requantize::new(1608986720, -6),
                Requantize::new(1630594615, -6),
            ],
            Clamp { zero: -128, lowest: -128, highest: 127 },
        ).then(
            DenseI8::new(
                WEIGHTS_1,
                BIAS_1,
                [
                    Requantize::new(1576847942, -8),
                    Requantize::new(1427464900, -8),
                    Requantize::new(1833956036, -8),
                    Requantize::new(1706473774, -8),
                    Requantize::new(1236239747, -8),
                    Requantize::new(1451500160, -8),
                    Requantize::new(1514505887, -8),
                ],
                Clamp { zero: 22, lowest: -128, highest: 127 },
            )
        ),
    )
};

/// Codes to logits, or to a value.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static OUTPUT: ::microdistill::quant::Dequantize = ::microdistill::quant::Dequantize {
    scale: 0.092887074, zero: 22,
};

/// Classes, in the order of the outputs; none for regression.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static LABELS: [&str; 7] = ["ABD", "ER", "FEL", "IR", "PEN", "ROW", "TRAP"];

/// Features, in the order of the inputs; `column=category` is 1 for that category, 0 for another or none.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static FEATURES: [&str; 30] = [
    "mean_ax", "mean_ay", "mean_az", "mean_wx", "mean_wy", "mean_wz", "std_ax", "std_ay", "std_az", "std_wx",
    "std_wy", "std_wz", "min_ax", "min_ay", "min_az", "min_wx", "min_wy", "min_wz", "max_ax", "max_ay",
    "max_az", "max_wx", "max_wy", "max_wz", "absdiff_ax", "absdiff_ay", "absdiff_az", "absdiff_wx",
    "absdiff_wy", "absdiff_wz",
];

/// What the desktop computed: `self_test` compares.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub static GOLDEN: [::microdistill::golden::Golden<30, Input, Output>; 4] = {
    use ::microdistill::golden::Golden;
    [
        Golden {
            raw: [
                -1.189, 0.0541, 0.001354, 0.6887, 0.04817, -0.06019, 0.1222, 0.08427, 0.04403, 0.7157, 1.707,
                1.749, -1.482, -0.1543, -0.09534, -0.8565, -2.499, -2.489, -1.024, 0.2126, 0.1393, 2.371,
                2.221, 2.78, 0.01474, 0.01621, 0.01341, 0.1533, 0.1327, 0.1523,
            ],
            input: [
                16, 26, 42, 82, 39, 30, 25, 26, 22, 32, 32, 53, 27, 37, 49, 46, 43, 29, 12, 21, 25, 35, 27,
                46, 24, 22, 20, 24, 30, 42,
            ],
            output: [6, 37, -7, -49, 110, 4, 1],
        },
        Golden {
            raw: [
                -0.9349, 0.1838, 0.07391, 0.03546, -0.00941, -0.03141, 0.4383, 0.2025, 0.09759, 0.7743,
                0.3097, 1.023, -2.091, -0.4071, -0.2231, -1.423, -1.102, -2.179, -0.08472, 0.5747, 0.3813,
                2.265, 0.5441, 1.662, 0.05688, 0.04486, 0.04035, 0.1538, 0.07964, 0.1766,
            ],
            input: [
                21, 30, 45, 37, 36, 32, 36, 33, 24, 34, 19, 38, 20, 32, 47, 42, 51, 32, 24, 28, 30, 34, 18,
                32, 36, 30, 28, 24, 24, 47,
            ],
            output: [23, -32, 10, 10, 15, 91, 27],
        },
        Golden {
            raw: [
                -0.3171, 0.8759, 0.2299, 0.2399, -0.2457, 0.1007, 0.3372, 0.1737, 0.5309, 1.146, 3.586, 0.98,
                -1.371, 0.163, -0.7622, -2.546, -8.238, -2.323, 0.2993, 1.46, 1.271, 4.726, 5.642, 2.192,
                0.04629, 0.06155, 0.08307, 0.3406, 0.2986, 0.1153,
            ],
            input: [
                31, 51, 52, 51, 24, 43, 33, 32, 42, 42, 48, 37, 29, 43, 40, 36, 12, 31, 30, 46, 49, 56, 46,
                38, 33, 34, 41, 38, 46, 34,
            ],
            output: [12, 88, 20, 20, 18, -35, -17],
        },
        Golden {
            raw: [
                -0.9914, 0.1079, 0.1405, 0.0468, 0.03555, 0.02171, 0.4363, 0.1524, 0.1087, 0.9288, 0.4146,
                0.7714, -1.631, -0.2801, -0.1519, -2.264, -0.8664, -1.506, 0.01639, 0.5367, 0.3674, 1.5,
                1.042, 1.22, 0.05558, 0.02551, 0.03042, 0.121, 0.07278, 0.1085,
            ],
            input: [
                20, 27, 48, 38, 38, 36, 36, 30, 25, 37, 20, 32, 25, 35, 48, 37, 52, 40, 26, 27, 30, 28, 21,
                27, 36, 24, 25, 22, 24, 32,
            ],
            output: [-4, -17, 34, 7, 8, 75, 11],
        },
    ]
};

/// Weights and biases.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub const PARAMETERS: usize = 615;

/// Multiplications of an inference.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub const MACS: usize = 592;

/// Bytes of flash: the network and its edges. `const _: () = assert!(FLASH_BYTES <= 4096);` holds it to a budget.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub const FLASH_BYTES: usize = 1064;

/// Bytes of the buffer that an inference works in, on this target; its input and its output come on top.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub const SCRATCH_BYTES: usize = Student::SCRATCH_BYTES;

/// The network alone: its input to its output.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub fn run(input: &Input) -> Output {
    STUDENT.predict(input)
}

/// The network's output as logits, or as a value.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub fn decode(output: &Output) -> [f32; 7] {
    OUTPUT.apply(output)
}

/// Raw features to logits, or to a value.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub fn predict(raw: &[f32; 30]) -> [f32; 7] {
    decode(&run(&::microdistill::Prepare::apply(&INPUT, raw)))
}

/// Compares this machine with the desktop, to the bit.
#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all)]
pub fn self_test() -> Result<(), ::microdistill::golden::Mismatch> {
    ::microdistill::golden::self_test(&INPUT, &STUDENT, &GOLDEN)
}

#[rustfmt::skip]
const _: () = assert!(
    FLASH_BYTES == ::core::mem::size_of_val(&STUDENT)
        + ::core::mem::size_of_val(&INPUT)
        + ::core::mem::size_of_val(&OUTPUT)
);
