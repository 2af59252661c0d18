"""What PyTorch's transformer modules give, for tests/web/transformer-golden.test.ts, which needs no Python.

    python3 -m venv .tools/python && .tools/python/bin/pip install -r tests/golden/requirements.txt
    .tools/python/bin/python tests/golden/torch_layers.py && npx biome format --write tests/golden/torch_layers.json

Weights and inputs come from a hash that the test computes, too, so that only shapes and results are stored.
Masks are stored in the sense of this package: 1 attends.
"""

import json
from pathlib import Path

import torch
from torch import nn

B, S, SM, E, H, F = 2, 4, 3, 8, 2, 12
X_SEED, MEMORY_SEED = 101, 102


def numbers(seed, shape):
    """Multiples of 2^-23 in -1..1, exact in float32."""
    count = torch.Size(shape).numel()
    values = []
    for i in range(count):
        h = (seed * 0x9E3779B1 + i * 0x85EBCA6B) & 0xFFFFFFFF
        h ^= h >> 15
        h = (h * 0x2C1B3C6D) & 0xFFFFFFFF
        h ^= h >> 12
        values.append((h >> 8) / 2**23 - 1)
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def fill(module):
    """Halves of the numbers; around 1 for the weights of norms. The seed of a tensor is its place, from 1 on."""
    state = {}
    for seed, (name, tensor) in enumerate(module.state_dict().items(), 1):
        is_norm = "norm" in name and name.endswith("weight")
        state[name] = numbers(seed, tensor.shape) / 2 + (1 if is_norm else 0)
    module.load_state_dict(state)
    return module.double().eval()


def watch(module):
    """The maps of each attention module, in the order of its layers."""
    maps = {"self_attn": [], "multihead_attn": []}

    def ask(_, args, kwargs):
        return args, {**kwargs, "need_weights": True, "average_attn_weights": False}

    for name, part in module.named_modules():
        kind = name.split(".")[-1]
        if kind in maps:
            part.register_forward_pre_hook(ask, with_kwargs=True)
            part.register_forward_hook(lambda _, __, result, kind=kind: maps[kind].append(result[1]))
    return maps


def plain(tensor):
    return {"shape": list(tensor.shape), "data": [round(value, 7) + 0.0 for value in tensor.flatten().tolist()]}


PADDING = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
MEMORY_PADDING = torch.tensor([[1, 1, 0], [1, 1, 1]])
MASK = torch.tensor([[1, 0, 1, 0], [1, 1, 0, 0], [0, 1, 1, 1], [1, 0, 0, 1]])
MEMORY_MASK = torch.tensor([[1, 1, 0], [0, 1, 1], [1, 1, 1], [1, 0, 0]])
CAUSAL = torch.ones(S, S).tril()


def masks_of(options, kind):
    """The options as torch names them; its True masks."""
    own = "tgt" if "Decoder" in kind else "src"
    given = {}
    if options.get("causal") or options.get("mask"):
        # An encoder layer calls its mask src_mask, an encoder calls it mask.
        name = {"TransformerEncoder": "mask"}.get(kind, f"{own}_mask")
        given[name] = (CAUSAL if options.get("causal") else MASK) == 0
    if options.get("attentionMask"):
        given[f"{own}_key_padding_mask"] = PADDING == 0
    if options.get("memoryMask"):
        given["memory_mask"] = MEMORY_MASK == 0
    if options.get("memoryAttentionMask"):
        given["memory_key_padding_mask"] = MEMORY_PADDING == 0
    return given


def stored(options):
    tensors = {
        "mask": MASK,
        "attentionMask": PADDING,
        "memoryMask": MEMORY_MASK,
        "memoryAttentionMask": MEMORY_PADDING,
    }
    return {name: tensors[name].tolist() if name in tensors else value for name, value in options.items()}


def case(kind, config, options):
    is_decoder, is_stack = "Decoder" in kind, not kind.endswith("Layer")
    layer_class = nn.TransformerDecoderLayer if is_decoder else nn.TransformerEncoderLayer
    has_norm = config.pop("norm", False)
    has_bias = config.get("bias", True)
    layer = layer_class(
        E,
        H,
        F,
        activation=config.get("activation", "relu"),
        norm_first=config.get("normFirst", False),
        layer_norm_eps=config.get("layerNormEpsilon", 1e-5),
        bias=has_bias,
        batch_first=True,
    )
    module = layer
    if is_stack:
        epsilon = config.get("layerNormEpsilon", 1e-5)
        norm = nn.LayerNorm(E, eps=epsilon, bias=has_bias) if has_norm else None
        more = {} if is_decoder else {"enable_nested_tensor": False}
        module = getattr(nn, kind)(layer, 2, norm=norm, **more)
    fill(module)
    maps = watch(module)
    x, memory = numbers(X_SEED, (B, S, E)), numbers(MEMORY_SEED, (B, SM, E))
    with torch.no_grad():
        output = module(x, *([memory] if is_decoder else []), **masks_of(options, kind))
    config.pop("bias", None)
    return {
        "module": kind,
        "config": {"numHeads": H, **config},
        "options": stored(options),
        "shapes": {name: list(tensor.shape) for name, tensor in module.state_dict().items()},
        "output": plain(output),
        "weights": [plain(tensor) for tensor in maps["self_attn"]],
        "crossWeights": [plain(tensor) for tensor in maps["multihead_attn"]],
    }


def whole():
    """torch.nn.Transformer: an encoder and a decoder in one state dict."""
    module = fill(nn.Transformer(E, H, 1, 1, F, batch_first=True))
    source, target = numbers(MEMORY_SEED, (B, SM, E)), numbers(X_SEED, (B, S, E))
    with torch.no_grad():
        output = module(source, target, tgt_mask=CAUSAL == 0)
    shapes = {name: list(tensor.shape) for name, tensor in module.state_dict().items()}
    return {"shapes": shapes, "output": plain(output)}


torch.backends.mha.set_fastpath_enabled(False)
all_masks = {"causal": True, "attentionMask": True, "memoryMask": True, "memoryAttentionMask": True}
cases = [
    case("TransformerEncoderLayer", {}, {}),
    case("TransformerEncoderLayer", {"activation": "gelu"}, {"attentionMask": True}),
    case("TransformerEncoderLayer", {"normFirst": True, "bias": False}, {"causal": True}),
    case("TransformerEncoderLayer", {"normFirst": True, "activation": "gelu"}, {"mask": True}),
    case("TransformerEncoderLayer", {"layerNormEpsilon": 0.01, "bias": False}, {"causal": True, "attentionMask": True}),
    case("TransformerDecoderLayer", {}, {}),
    case("TransformerDecoderLayer", {"activation": "gelu", "bias": False}, {"causal": True}),
    case("TransformerDecoderLayer", {"normFirst": True}, all_masks),
    case("TransformerEncoder", {"norm": True}, {"attentionMask": True}),
    case("TransformerEncoder", {"normFirst": True, "activation": "gelu", "bias": False}, {"causal": True}),
    case("TransformerDecoder", {"norm": True, "activation": "gelu"}, {"causal": True}),
    case("TransformerDecoder", {"normFirst": True, "norm": True, "bias": False}, all_masks),
]
fixture = {"torch": torch.__version__.split("+")[0], "cases": cases, "transformer": whole()}
Path(__file__).with_suffix(".json").write_text(json.dumps(fixture))
