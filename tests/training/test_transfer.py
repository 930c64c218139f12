"""A model that goes on learning keeps what it knows and gains the new tokens."""

from pathlib import Path

import pytest
import torch

from lyricgen.errors import OptionError
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.tokenizer import Tokenizer
from lyricgen.text.vocab import SPECIALS, Vocab
from lyricgen.training.recipe import Wishes
from lyricgen.training.session import RunOptions, start_session
from lyricgen.training.transfer import grow

OLD = Vocab((*SPECIALS, "\n", "星", "月", "星月"), Tokenizer("word", "jieba", "0"), 0.01)
NEW = Vocab((*OLD.tokens, "雨", "月星"), OLD.tokenizer, 0.01)


@pytest.mark.parametrize("tied", [True, False])
def test_old_tokens_keep_their_odds_and_new_ones_start_from_their_characters(tied: bool) -> None:
    torch.manual_seed(0)
    model = LyricModel(ModelConfig(len(OLD), embedding=4, hidden=5, tied=tied)).eval()
    torch.nn.init.normal_(model.bias)
    source = Checkpoint(Path("none"), Card(model.config), OLD, model)
    grown = grow(source, NEW).eval()
    ids = torch.tensor([[1], [4], [6], [3]])
    before, after = (m(ids, m.initial_state(1))[0] for m in (model, grown))
    torch.testing.assert_close(after[..., : before.shape[-1]], before)
    rows = model.embedding.weight
    torch.testing.assert_close(grown.embedding.weight[8], (rows[4] + rows[5]) / 2)  # 月星 from 星 and 月
    torch.testing.assert_close(grown.embedding.weight[7], rows[3:].mean(dim=0))  # 雨 from all
    torch.testing.assert_close(grown.bias[-1], model.bias[1:].mean())
    output = model.embed_output()
    torch.testing.assert_close(grown.embed_output()[6], (output[2] + output[3]) / 2)


def test_fine_tuning_starts_where_the_source_ended(tmp_path: Path) -> None:
    first = tmp_path / "first.txt"
    first.write_text("星星在天上\n月亮在水里\n" * 30, encoding="utf-8")
    other = tmp_path / "other.txt"
    other.write_text("星星在山上\n风在树林里\n月亮在水里\n花开在春天里\n", encoding="utf-8")
    wishes = Wishes(hidden=32, embedding=16, epochs=30, dropout=0.0)
    session = start_session(
        RunOptions((str(first),), tmp_path / "a", wishes=wishes), device=torch.device("cpu"), began=0.0
    )
    for _ in session.trainer.run():
        pass
    options = RunOptions((str(other),), tmp_path / "b", init_from=tmp_path / "a", wishes=Wishes(epochs=1))
    tuned = start_session(options, device=torch.device("cpu"), began=0.0)
    assert any("new tokens" in line for line in tuned.lines)
    assert tuned.trainer.vocab.tokens[: len(session.trainer.vocab)] == session.trainer.vocab.tokens
    plain = start_session(
        RunOptions((str(other),), tmp_path / "c", wishes=wishes), device=torch.device("cpu"), began=0.0
    )
    assert tuned.trainer.held_out() < plain.trainer.held_out() - 0.3


def test_a_shape_cannot_be_asked_of_a_model_that_has_one() -> None:
    with pytest.raises(OptionError, match="leave out --hidden, or --init-from"):
        RunOptions(init_from=Path("x"), wishes=Wishes(hidden=3))
