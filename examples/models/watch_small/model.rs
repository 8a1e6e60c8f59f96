// Exported by microdistill: change the model and export again, not this file.
//
// made by: microdistill demo
// model by: microdistill demo
// data: bc9735cb72daf6ba
// seed: 1
// target: exercise
// scores: test accuracy 0.8489, test nll 0.3377, train accuracy 0.9745, train nll 0.1085

#[rustfmt::skip]
#[allow(dead_code, unreachable_pub, clippy::all, clippy::pedantic)]
mod generated {
    /// The network's type.
    pub type Student = ::microdistill::MlpI8![30, 16, 7];

    /// Input of the network.
    pub type Input = [i8; 30];

    /// Output of the network.
    pub type Output = [i8; 7];

    /// Raw features to the network's input. A feature that is NaN or infinite counts as missing and becomes
    /// its mean; `microdistill::Strict` refuses it instead.
    pub static INPUT: ::microdistill::quant::Quantize<30> = ::microdistill::quant::Quantize {
        scaler: ::microdistill::Scaler::new(
            [
                -0.0065837787, 0.38734925, -0.14030099, 0.018063782, -0.0070447465, 0.016291142, 0.44073057,
                0.24464446, 0.39058238, 0.87608725, 2.1855965, 0.95290214, -0.7864072, -0.21307407,
                -1.0008013, -2.466419, -3.8301256, -1.8748647, 0.77967185, 0.9602725, 0.6606367, 2.4677877,
                3.7913904, 1.9881989, 0.056293726, 0.06749064, 0.06640564, 0.31454885, 0.19651736, 0.12545711,
            ],
            [
                1.3673757, 2.5262651, 3.5963748, 5.6252823, 4.0501933, 6.5135875, 2.7407086, 5.1279182,
                3.3453035, 1.9587878, 0.72997224, 1.761028, 1.0280797, 1.522554, 1.2048658, 0.50693107,
                0.4505426, 0.99313474, 1.1065223, 1.6920722, 1.7885953, 0.7145872, 0.45796448, 0.99419844,
                24.47465, 22.997025, 24.238426, 5.906605, 8.080984, 17.259712,
            ],
        ),
        scale: 0.082101926,
        zero: 36,
    };

    /// `STUDENT.predict(&INPUT.apply(&raw))` gives codes, in the order of the logits or values they stand
    /// for.
    pub static STUDENT: Student = {
        use ::microdistill::{Network, quant::{Clamp, DenseI8, Requantize}};
        const WEIGHTS_0: [[i8; 30]; 16] = [
            [
                -11, 127, 3, -24, -16, -2, 46, 17, -23, -25, 65, 38, 19, 49, -70, 29, -26, 32, 5, 10, 0, 56,
                33, 21, -94, -12, -43, -48, 25, -20,
            ],
            [
                -5, -98, 48, -119, 1, -1, 96, 66, -29, -52, -127, -53, -29, -103, 28, 16, 107, -38, 50, 0, 29,
                6, -88, 33, 69, 95, 70, 28, -36, -13,
            ],
            [
                9, -43, -14, -66, 5, -1, -127, -26, -2, -33, -21, -49, 48, -21, -22, -8, 1, -5, -45, -11, 8,
                21, -12, 9, 12, 26, -15, 89, 11, 9,
            ],
            [
                5, -117, -122, 74, 0, -6, 39, 75, -31, -29, 88, 127, 60, -96, -96, -3, 24, 19, -28, -55, -98,
                43, -35, -36, -89, -57, -96, -8, 81, 81,
            ],
            [
                3, 10, -15, 70, 1, 3, 80, 1, -55, 8, -21, 31, -38, 2, 14, 29, 37, 10, 34, -16, -24, -2, -9,
                10, -14, 4, 16, -127, 28, 14,
            ],
            [
                -1, -25, 64, 36, -2, 19, 18, -28, 127, 101, -34, -23, -44, 11, 57, -20, 9, 14, 17, 45, 65,
                -37, -20, -8, 53, -111, 51, 64, -117, -109,
            ],
            [
                -2, -64, 17, 19, -17, 68, 102, -120, 82, 121, 41, -40, -87, 56, 60, -50, -80, 25, 40, 16, 14,
                -42, 78, -68, 127, -111, -33, -23, -56, -84,
            ],
            [
                30, -63, 6, -13, 2, -7, -6, -48, 51, 13, -24, -7, -2, 4, 47, 47, -52, -26, -2, -50, -43, -37,
                37, -21, -27, -44, -8, 53, -127, -80,
            ],
            [
                1, 76, 27, 33, -3, 17, -89, -32, 22, -1, 20, 7, 65, 75, 33, 17, -31, 31, -72, 53, -22, -18,
                19, 7, -127, -31, -24, 29, 30, -86,
            ],
            [
                -13, 127, 75, -47, 2, 3, -79, -62, 67, 18, 18, -56, 34, 56, 25, -70, -16, -26, -64, 78, 54,
                -16, 41, 11, 26, 40, 3, 83, -24, -29,
            ],
            [
                3, 69, 32, -65, -2, 12, 43, -71, -127, -43, -37, -43, -32, 59, -23, -22, 5, 33, 31, 33, -3, 2,
                4, 7, 23, 70, -47, -57, 33, 12,
            ],
            [
                -18, -39, 7, -12, 31, -10, -40, -56, -121, -58, -54, -22, 39, -8, 35, 16, 30, -9, -13, -71,
                -101, 1, -61, 13, -9, 109, -66, -127, 21, 61,
            ],
            [
                -23, -33, -2, 127, -7, -2, -110, 42, 124, 18, 26, 51, 64, -16, 35, 52, -13, -32, -70, -19, -1,
                -11, -10, -7, -98, -77, 43, 111, 0, -8,
            ],
            [
                25, -67, -12, -51, -15, -24, -74, 89, -55, -91, 30, 5, 103, -127, -66, 50, 7, 9, -43, -54, 21,
                12, -33, -6, -57, 55, -2, -17, 122, 43,
            ],
            [
                13, 1, -17, -109, 10, -19, 123, -42, -127, -47, 21, -20, -57, 4, -52, -22, -8, 34, 64, -13,
                19, 6, 18, 36, 39, 82, -60, -30, 55, 45,
            ],
            [
                -5, -24, -85, -3, -7, 6, 112, 76, 127, 72, 39, 59, -11, -23, 9, 23, -21, -42, 45, 2, 16, -28,
                7, -40, -10, -63, 55, 61, -46, -74,
            ],
        ];
        const BIAS_0: [i32; 16] = [
            -1331, 6424, 10579, 13610, -2314, -4283, 4012, 16187, 1447, -6386, 4857, 20704, -2738, 10239,
            4826, -3866,
        ];
        const WEIGHTS_1: [[i8; 16]; 7] = [
            [60, 16, -27, 69, 23, -71, -23, -127, -41, -76, -43, -57, -61, 48, 45, 23],
            [6, -30, 1, -45, -65, 66, -39, -3, 35, 45, -93, -108, 127, -19, -123, 3],
            [-41, -13, -52, -26, -9, 60, 54, 127, -86, 19, -62, -68, -24, -87, -9, 31],
            [36, -103, 5, -84, -56, -70, 2, -22, 19, 27, 106, 7, -127, -16, 103, -115],
            [-11, -127, -70, 55, 70, -93, -16, -11, 53, -101, -111, 46, 89, 46, -69, -80],
            [-44, 50, -102, -104, 103, 34, -58, -16, -65, -40, 105, 58, -127, -26, 24, -90],
            [-118, 52, 127, 9, -120, -21, -32, -1, -78, -22, -43, 43, 29, 84, -68, -64],
        ];
        const BIAS_1: [i32; 7] = [-28823, -30077, -24899, -36648, -46491, -37717, -28287];
        Network::new(
            DenseI8::new(
                WEIGHTS_0,
                BIAS_0,
                [
                    Requantize::new(1371863317, -6),
                    Requantize::new(2137401725, -7),
                    Requantize::new(1206390248, -5),
                    Requantize::new(1954355953, -7),
                    Requantize::new(1278989288, -5),
                    Requantize::new(2091888628, -7),
                    Requantize::new(1956407425, -7),
                    Requantize::new(1121218672, -5),
                    Requantize::new(1457431404, -6),
                    Requantize::new(1363926309, -6),
                    Requantize::new(2050534731, -6),
                    Requantize::new(1677790240, -6),
                    Requantize::new(1675311338, -6),
                    Requantize::new(1772863531, -7),
                    Requantize::new(1239510742, -6),
                    Requantize::new(1464795373, -6),
                ],
                Clamp { zero: -128, lowest: -128, highest: 127 },
            ).then(
                DenseI8::new(
                    WEIGHTS_1,
                    BIAS_1,
                    [
                        Requantize::new(1485606264, -8),
                        Requantize::new(1455606787, -8),
                        Requantize::new(1753626839, -8),
                        Requantize::new(1439835400, -8),
                        Requantize::new(1159954291, -8),
                        Requantize::new(1478136409, -8),
                        Requantize::new(1427280584, -8),
                    ],
                    Clamp { zero: 47, lowest: -128, highest: 127 },
                )
            ),
        )
    };

    /// Codes to logits, or to a value.
    pub static OUTPUT: ::microdistill::quant::Dequantize = ::microdistill::quant::Dequantize {
        scale: 0.098544605, zero: 47,
    };

    /// Classes, in the order of the outputs; none for regression.
    pub static LABELS: [&str; 7] = ["ABD", "ER", "FEL", "IR", "PEN", "ROW", "TRAP"];

    /// Features, in the order of the inputs; `column=category` is 1 for that category, 0 for another or none.
    pub static FEATURES: [&str; 30] = [
        "mean_ax", "mean_ay", "mean_az", "mean_wx", "mean_wy", "mean_wz", "std_ax", "std_ay", "std_az",
        "std_wx", "std_wy", "std_wz", "min_ax", "min_ay", "min_az", "min_wx", "min_wy", "min_wz", "max_ax",
        "max_ay", "max_az", "max_wx", "max_wy", "max_wz", "absdiff_ax", "absdiff_ay", "absdiff_az",
        "absdiff_wx", "absdiff_wy", "absdiff_wz",
    ];

    /// Outputs that the desktop computed. `self_test` compares them.
    pub static GOLDEN: [::microdistill::golden::Golden<30, Input, Output>; 4] = {
        use ::microdistill::golden::Golden;
        [
            Golden {
                raw: [
                    -1.189, 0.0541, 0.001354, 0.6887, 0.04817, -0.06019, 0.1222, 0.08427, 0.04403, 0.7157,
                    1.707, 1.749, -1.482, -0.1543, -0.09534, -0.8565, -2.499, -2.489, -1.024, 0.2126, 0.1393,
                    2.371, 2.221, 2.78, 0.01474, 0.01621, 0.01341, 0.1533, 0.1327, 0.1523,
                ],
                input: [
                    16, 26, 42, 82, 39, 30, 25, 26, 22, 32, 32, 53, 27, 37, 49, 46, 43, 29, 12, 21, 25, 35,
                    27, 46, 24, 22, 20, 24, 30, 42,
                ],
                output: [12, 39, -4, -33, 110, 6, 16],
            },
            Golden {
                raw: [
                    -0.9349, 0.1838, 0.07391, 0.03546, -0.00941, -0.03141, 0.4383, 0.2025, 0.09759, 0.7743,
                    0.3097, 1.023, -2.091, -0.4071, -0.2231, -1.423, -1.102, -2.179, -0.08472, 0.5747, 0.3813,
                    2.265, 0.5441, 1.662, 0.05688, 0.04486, 0.04035, 0.1538, 0.07964, 0.1766,
                ],
                input: [
                    21, 30, 45, 37, 36, 32, 36, 33, 24, 34, 19, 38, 20, 32, 47, 42, 51, 32, 24, 28, 30, 34,
                    18, 32, 36, 30, 28, 24, 24, 47,
                ],
                output: [30, -19, 19, 20, 27, 96, 36],
            },
            Golden {
                raw: [
                    -0.3171, 0.8759, 0.2299, 0.2399, -0.2457, 0.1007, 0.3372, 0.1737, 0.5309, 1.146, 3.586,
                    0.98, -1.371, 0.163, -0.7622, -2.546, -8.238, -2.323, 0.2993, 1.46, 1.271, 4.726, 5.642,
                    2.192, 0.04629, 0.06155, 0.08307, 0.3406, 0.2986, 0.1153,
                ],
                input: [
                    31, 51, 52, 51, 24, 43, 33, 32, 42, 42, 48, 37, 29, 43, 40, 36, 12, 31, 30, 46, 49, 56,
                    46, 38, 33, 34, 41, 38, 46, 34,
                ],
                output: [17, 94, 29, 24, 22, -26, -10],
            },
            Golden {
                raw: [
                    -0.9914, 0.1079, 0.1405, 0.0468, 0.03555, 0.02171, 0.4363, 0.1524, 0.1087, 0.9288, 0.4146,
                    0.7714, -1.631, -0.2801, -0.1519, -2.264, -0.8664, -1.506, 0.01639, 0.5367, 0.3674, 1.5,
                    1.042, 1.22, 0.05558, 0.02551, 0.03042, 0.121, 0.07278, 0.1085,
                ],
                input: [
                    20, 27, 48, 38, 38, 36, 36, 30, 25, 37, 20, 32, 25, 35, 48, 37, 52, 40, 26, 27, 30, 28,
                    21, 27, 36, 24, 25, 22, 24, 32,
                ],
                output: [8, -7, 45, 17, 20, 85, 27],
            },
        ]
    };

    /// The same for a row whose features are all missing.
    pub static MISSING: ::microdistill::golden::Golden<30, Input, Output> = ::microdistill::golden::Golden {
        raw: [f32::NAN; 30],
        input: [
            36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36, 36,
            36, 36, 36, 36, 36, 36,
        ],
        output: [39, 40, 36, 21, 16, 15, 23],
    };

    /// Weights and biases.
    pub const PARAMETERS: usize = 615;

    /// Multiplications of an inference.
    pub const MACS: usize = 592;

    /// Bytes of flash: the network and its edges. `const _: () = assert!(FLASH_BYTES <= 4096);` holds it to a
    /// budget.
    pub const FLASH_BYTES: usize = 1064;

    /// Bytes of the buffer that an inference works in, on this target; its input and its output come on top.
    pub const SCRATCH_BYTES: usize = Student::SCRATCH_BYTES;

    /// Name of the kernel that the network uses on the target it is compiled for; `-C target-cpu` may give a
    /// faster one.
    pub const KERNEL: &str = ::microdistill::kernel::int8::NAME;

    /// The network alone: its input to its output.
    pub fn run(input: &Input) -> Output {
        STUDENT.predict(input)
    }

    /// The network's output as logits, or as a value.
    pub fn decode(output: &Output) -> [f32; 7] {
        OUTPUT.apply(output)
    }

    /// Raw features to logits, or to a value.
    pub fn predict(raw: &[f32; 30]) -> [f32; 7] {
        decode(&run(&::microdistill::Prepare::apply(&INPUT, raw)))
    }

    /// Compares this machine with the desktop, to the bit.
    pub fn self_test() -> Result<(), ::microdistill::golden::Mismatch> {
        ::microdistill::golden::self_test_with(&INPUT, &STUDENT, &GOLDEN, &MISSING)
    }

    const _: () = assert!(
        FLASH_BYTES == ::core::mem::size_of_val(&STUDENT)
            + ::core::mem::size_of_val(&INPUT)
            + ::core::mem::size_of_val(&OUTPUT)
    );
}

#[rustfmt::skip]
#[allow(unused_imports, unreachable_pub)]
pub use generated::{
    Student, Input, Output, INPUT, STUDENT, OUTPUT, LABELS, FEATURES, GOLDEN, MISSING, PARAMETERS, MACS,
    FLASH_BYTES, SCRATCH_BYTES, KERNEL, run, decode, predict, self_test,
};
