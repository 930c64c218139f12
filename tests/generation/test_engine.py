"""The engine computes what the module computes."""

import pytest
import torch

from lyricgen.generation.engine import ROWS, Engine
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.vocab import END, START


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    ("layers", "hidden", "embedding", "tied", "residual"),
    [(1, 5, 3, False, False), (2, 6, 6, True, True), (3, 6, 4, True, True), (2, 6, 4, False, True)],
)
def test_steps_give_the_modules_logits(
    cell: str, layers: int, hidden: int, embedding: int, tied: bool, residual: bool
) -> None:
    torch.manual_seed(1)
    config = ModelConfig(11, cell, embedding, hidden, layers, dropout=0.5, tied=tied, residual=residual)
    model = LyricModel(config).eval()
    for weight in model.parameters():
        torch.nn.init.uniform_(weight, -1, 1)
    model.pin_resets()
    ids = torch.randint(3, 11, (7, 3))
    with torch.inference_mode():
        opening = torch.tensor([[END], [START]]).expand(2, 3)
        expected, _ = model(torch.cat((opening, ids)), model.initial_state(3))  # (2 + 7, 3, C)
    engine = Engine(model)
    found = engine.begin(3)
    assert found.logits.shape == (ROWS, 9)
    found = engine.step(torch.full((ROWS,), START), found.state)
    torch.testing.assert_close(found.logits[:3], expected[1])
    for t in range(7):
        padded = torch.cat((ids[t], torch.zeros(ROWS - 3, dtype=torch.long)))
        found = engine.step(padded, found.state)
        torch.testing.assert_close(found.logits[:3], expected[2 + t])


def test_a_table_too_large_to_fold_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = LyricModel(ModelConfig(11, embedding=4, hidden=6)).eval()
    folded = Engine(model)
    monkeypatch.setattr("lyricgen.generation.engine.FOLDED_BYTES", 0)
    unfolded = Engine(model)
    ids = torch.arange(3, 11)
    first, second = (engine.step(ids, engine.begin(8).state).logits for engine in (folded, unfolded))
    torch.testing.assert_close(first, second)


def test_emphasis_moves_moods_and_styles_away_from_unknown() -> None:
    torch.manual_seed(1)
    model = LyricModel(ModelConfig(11, embedding=4, hidden=6, lengths=5, rhymes=4, moods=3, styles=2)).eval()
    labels = torch.tensor([[3, 2, 0, 0], [3, 2, 1, 0], [3, 2, 2, 1], [3, 2, 0, 1]]).repeat(2, 1)
    ids = torch.arange(3, 11)

    def logits(engine: Engine) -> torch.Tensor:
        return engine.step(ids, engine.begin(8).state, labels).logits

    plain, moved = logits(Engine(model)), logits(Engine(model, emphasis=2.0))
    torch.testing.assert_close(moved[::4], plain[::4])  # what is unknown stays as it was
    with torch.no_grad():
        for table in model.labels[2:]:
            weight = table.weight
            assert isinstance(weight, torch.Tensor)
            weight[1:] += weight[1:] - weight[0]
    torch.testing.assert_close(moved, logits(Engine(model)))
    assert not torch.allclose(moved[1:4], plain[1:4])
