"""Which classes a model's file may name: Keras' and Larq's own that hold no code and read no file.

A file names classes by module and name, and Keras would import any module. What is not in these
lists is refused: ``Lambda``, ``TFOpLambda`` and their like call any function, ``StringLookup`` and
its like read files.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


MODELS = frozenset({"Functional", "Model", "Sequential"})
STOCK_LAYERS = _names(
    """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
    AdditiveAttention AlphaDropout Attention AugMix AutoContrast Average AveragePooling1D
    AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization
    BatchNormalizationV1 BatchNormalizationV2 Bidirectional CategoryEncoding CenterCrop Concatenate
    ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose
    Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution1DTranspose
    Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose Cropping1D Cropping2D
    Cropping3D CutMix Dense DepthwiseConv1D DepthwiseConv2D Discretization Dot Dropout ELU
    EinsumDense Embedding Equalization Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalAvgPool1D
    GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GroupNormalization GroupQueryAttention
    HashedCrossing Hashing Identity InputLayer LSTM LSTMCell LayerNormalization LeakyReLU
    LocallyConnected1D LocallyConnected2D Masking MaxPool1D MaxPool2D MaxPool3D MaxPooling1D
    MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MixUp MultiHeadAttention Multiply
    Normalization PReLU Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness
    RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
    RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHeight RandomHue RandomInvert
    RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness
    RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling Reshape
    Resizing STFTSpectrogram SeparableConv1D SeparableConv2D SeparableConvolution1D
    SeparableConvolution2D SimpleRNN SimpleRNNCell Softmax Solarization SpatialDropout1D
    SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells Subtract ThresholdedReLU
    TimeDistributed UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D
    ZeroPadding2D ZeroPadding3D
    """
)
IMPORTED_LAYERS = _names(
    """
    Activation ActivityRegularization Add AlphaDropout AveragePooling2D BatchNormalization
    Concatenate Conv2D Dense Dropout Flatten GaussianDropout GaussianNoise GlobalAveragePooling2D
    InputLayer MaxPooling2D Normalization QuantConv2D QuantDense Rescaling Softmax SpatialDropout2D
    ZeroPadding2D
    """
)
"""What ``rbnn import`` converts; Larq's signs are quantizers."""
LARQ_LAYERS = _names(
    """
    QuantConv1D QuantConv2D QuantConv2DTranspose QuantConv3D QuantConv3DTranspose QuantDense
    QuantDepthwiseConv2D QuantLocallyConnected1D QuantLocallyConnected2D QuantSeparableConv1D
    QuantSeparableConv2D
    """
)
QUANTIZERS = _names(
    """
    ApproxSign DoReFa DoReFaQuantizer MagnitudeAwareSign NoOp NoOpQuantizer SteHeaviside SteSign
    SteTern SwishSign
    """
)
SIGN_NAMES = _names(
    """
    approx_sign dorefa_quantizer magnitude_aware_sign ste_heaviside ste_sign ste_tern swish_sign
    """
)
"""Names of quantizers in Larq's snake case, under which it registers them, too."""
INITIALIZERS = _names(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer LecunNormal
    LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform STFTInitializer
    TruncatedNormal VarianceScaling Zeros
    """
)
REGULARIZERS = frozenset({"L1", "L2", "L1L2", "OrthogonalRegularizer"})
CONSTRAINTS = frozenset(
    {"MaxNorm", "MinMaxNorm", "NonNeg", "RadialConstraint", "UnitNorm", "WeightClip", "weight_clip"}
)
POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy"})
OPERATIONS = frozenset({"Add", "Divide", "Multiply", "Subtract", "TrueDivide"})
"""What Keras 3 writes for ``x / 255`` and the like."""
ACTIVATIONS = _names(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu
    linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus
    softsign sparse_plus sparse_sigmoid sparsemax squareplus swish tanh tanh_shrink threshold
    """
)
DATA = frozenset(
    {"TensorShape", "__ellipsis__", "__keras_tensor__", "__numpy__", "__tensor__", "__tuple__"}
)
"""Values that JSON does not have, in Keras' words."""

KERAS = ("keras", "tf_keras")
MODULES: dict[frozenset[str], frozenset[str]] = {
    MODELS: frozenset(
        {
            *KERAS,
            *(f"{one}.models" for one in KERAS),
            *(f"{one}.src.engine.{kind}" for one in KERAS for kind in ("functional", "sequential")),
            *(f"keras.src.models.{kind}" for kind in ("functional", "sequential")),
            *("keras.engine.functional", "keras.engine.sequential"),
        }
    ),
    STOCK_LAYERS: frozenset(f"{one}.layers" for one in KERAS),
    LARQ_LAYERS: frozenset({"larq.layers"}),
    QUANTIZERS | SIGN_NAMES: frozenset({"larq.quantizers"}),
    INITIALIZERS: frozenset(f"{one}.initializers" for one in KERAS),
    REGULARIZERS: frozenset(f"{one}.regularizers" for one in KERAS),
    CONSTRAINTS: frozenset({"keras.constraints", "tf_keras.constraints", "larq.constraints"}),
    POLICIES: frozenset({"keras", "keras.dtype_policies", "keras.mixed_precision"}),
    OPERATIONS: frozenset({"keras.src.ops.numpy"}),
    frozenset({"SeedGenerator"}): frozenset({"keras.random", "keras.src.random.seed_generator"}),
}
"""Modules in which the classes of a list are; older files name none."""


def plain(name: str) -> str:
    """A name without what ``glorot_uniform`` and its class differ in: case and underscores."""
    return name.replace("_", "").lower()


NAMED: dict[str, frozenset[str]] = {
    "activation": frozenset(map(plain, ACTIVATIONS | SIGN_NAMES)),
    "initializer": frozenset(map(plain, INITIALIZERS | {"normal", "one", "uniform", "zero"})),
    "regularizer": frozenset(map(plain, REGULARIZERS)),
    "constraint": frozenset(map(plain, CONSTRAINTS)),
    "quantizer": frozenset(map(plain, QUANTIZERS | SIGN_NAMES)),
}
"""What may be named where a member with this ending has a name."""
CODE = _names(
    """
    ClassMethod FlaxLayer InstanceMethod InstanceProperty JaxLayer Lambda SlicingOpLambda TFOpLambda
    TFSMLayer TensorFlowOpLayer TorchModuleWrapper __lambda__ function
    """
)
"""What is program code, or calls any function."""
