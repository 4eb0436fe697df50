"""A model whose weights are stored as integers, made to multiply with integers too.

The package of the embedder keeps its weights as 8-bit integers and has them turned into 32-bit numbers before each
product, so that loading it costs 90 MB and a question the time it takes to read them. ONNX has the products of integers
as well. Each

    weight -> Cast -> Mul(scale) -> MatMul(x, .)

becomes, with x measured and rounded to 8 bits as it comes by,

    DynamicQuantizeLinear(x) -> MatMulInteger(., weight) -> Cast -> Mul(scale of x * scale)

which takes half the time and half the memory, for vectors whose cosine to the others' is .997 (measured). Only products
of what comes out of a layer's normalisation are done so: what comes out of an activation holds a few numbers so great
that 8 bits leave little for the rest (with all products .994, and every hundredth question is lost). Weights are
shifted by 128 to unsigned ones: the processors' products of signed and unsigned bytes overflow.

A model is a protocol-buffer message; of its format (onnx.proto, IR version 10) only what is touched is described here,
everything else is carried over as it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

_FLOAT, _UINT8, _INT8 = 1, 2, 3
"""Element types of a tensor."""
_INTEGER = 2
"""Type of an attribute."""
_ZERO = "voicectl_weight_zero"
_SHIFTED = bytes((at + 128) % 256 for at in range(256))


def multiplied_as_integers(model: bytes) -> tuple[bytes, int]:
    """The model with its products of integer weights done in integers, and how many those are.

    Raises ValueError for bytes that are no model.
    """
    from google.protobuf.message import DecodeError

    message = _messages()["ModelProto"]()
    try:
        message.ParseFromString(model)
    except DecodeError as bad:
        raise ValueError("not a model") from bad
    graph = message.graph
    made_by = {output: node for node in graph.node for output in node.output}
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[Any] = []
    rounded: set[str] = set()
    unused: set[str] = set()
    count = 0
    for node in graph.node:
        found = _weight(node, made_by, tensors)
        if found is None:
            nodes.append(node)
            continue
        weight, scale, steps = found
        unused.update(step.output[0] for step in steps)
        x = node.input[0]
        if x not in rounded:
            rounded.add(x)
            nodes.append(_node("DynamicQuantizeLinear", [x], [f"{x}_u8", f"{x}_scale", f"{x}_zero"]))
        if weight.data_type == _INT8:
            weight.raw_data = bytes(weight.raw_data).translate(_SHIFTED)
            weight.data_type = _UINT8
        y = node.output[0]
        nodes += [
            _node("MatMulInteger", [f"{x}_u8", weight.name, f"{x}_zero", _ZERO], [f"{y}_i32"]),
            _node("Cast", [f"{y}_i32"], [f"{y}_f32"], to=_FLOAT),
            _node("Mul", [f"{x}_scale", scale], [f"{y}_scale"]),
            _node("Mul", [f"{y}_f32", f"{y}_scale"], [y]),
        ]
        count += 1
    for _ in range(2):  # a Cast is needed until its Mul is gone
        needed = {name for node in nodes for name in node.input}
        nodes = [node for node in nodes if node.output[0] not in unused or node.output[0] in needed]
    del graph.node[:]
    graph.node.extend(nodes)
    zero = graph.initializer.add()
    zero.name, zero.data_type, zero.raw_data = _ZERO, _UINT8, b"\x80"
    return message.SerializeToString(), count


def _weight(node: Any, made_by: dict[str, Any], tensors: dict[str, Any]) -> tuple[Any, str, list[Any]] | None:
    """The integer weight of a product, the name of its scale, and the steps that turn it into numbers of 32 bits."""
    if node.op_type != "MatMul":
        return None
    x = made_by.get(node.input[0])
    if x is None or x.op_type != "LayerNormalization":
        return None
    scaled = made_by.get(node.input[1])
    if scaled is None or scaled.op_type != "Mul":
        return None
    cast = made_by.get(scaled.input[0])
    scale = tensors.get(scaled.input[1])
    if cast is None or cast.op_type != "Cast" or scale is None or scale.data_type != _FLOAT:
        return None
    weight = tensors.get(cast.input[0])
    if weight is None or weight.data_type not in (_INT8, _UINT8) or len(weight.dims) != 2:
        return None
    if list(scale.dims) not in ([1, weight.dims[1]], [weight.dims[1]], []):
        return None
    return weight, scale.name, [scaled, cast]


def _node(kind: str, inputs: list[str], outputs: list[str], *, to: int | None = None) -> Any:
    node = _messages()["NodeProto"](op_type=kind, input=inputs, output=outputs, name=f"voicectl_{outputs[0]}")
    if to is not None:
        node.attribute.add(name="to", i=to, type=_INTEGER)
    return node


@lru_cache(maxsize=1)
def _messages() -> dict[str, Any]:
    """The messages of onnx.proto, as far as they are touched; numbers and types as there."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="voicectl/onnx.proto", package="voicectl.onnx", syntax="proto2")
    kinds = descriptor_pb2.FieldDescriptorProto
    one, many = kinds.LABEL_OPTIONAL, kinds.LABEL_REPEATED
    fields: dict[str, list[tuple[str, int, int, int, str]]] = {
        "AttributeProto": [
            ("name", 1, kinds.TYPE_STRING, one, ""),
            ("i", 3, kinds.TYPE_INT64, one, ""),
            ("type", 20, kinds.TYPE_INT32, one, ""),
        ],
        "TensorProto": [
            ("dims", 1, kinds.TYPE_INT64, many, ""),
            ("data_type", 2, kinds.TYPE_INT32, one, ""),
            ("name", 8, kinds.TYPE_STRING, one, ""),
            ("raw_data", 9, kinds.TYPE_BYTES, one, ""),
        ],
        "NodeProto": [
            ("input", 1, kinds.TYPE_STRING, many, ""),
            ("output", 2, kinds.TYPE_STRING, many, ""),
            ("name", 3, kinds.TYPE_STRING, one, ""),
            ("op_type", 4, kinds.TYPE_STRING, one, ""),
            ("attribute", 5, kinds.TYPE_MESSAGE, many, "AttributeProto"),
        ],
        "GraphProto": [
            ("node", 1, kinds.TYPE_MESSAGE, many, "NodeProto"),
            ("initializer", 5, kinds.TYPE_MESSAGE, many, "TensorProto"),
        ],
        "ModelProto": [("graph", 7, kinds.TYPE_MESSAGE, one, "GraphProto")],
    }
    for name, of in fields.items():
        message = file.message_type.add(name=name)
        for field, number, kind, label, other in of:
            message.field.add(
                name=field,
                number=number,
                type=kind,
                label=label,
                type_name=f".voicectl.onnx.{other}" if other else None,
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"voicectl.onnx.{name}")) for name in fields
    }
