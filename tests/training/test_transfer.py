"""A model that goes on learning keeps what it knows and gains the new tokens."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lyricgen.errors import OptionError
from lyricgen.model import checkpoint
from lyricgen.model.checkpoint import Card, Checkpoint
from lyricgen.model.config import ModelConfig
from lyricgen.model.network import LyricModel
from lyricgen.text.labels import LENGTHS, RHYMES
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


@torch.no_grad()
def test_moods_and_styles_that_are_new_start_as_the_mean_of_the_old() -> None:
    torch.manual_seed(0)
    shape = ModelConfig(
        len(OLD), embedding=4, hidden=5, dropout=0.0, lengths=LENGTHS, rhymes=RHYMES, moods=3, styles=1
    )
    model = LyricModel(shape).eval()
    for weight in model.parameters():
        weight.normal_()
    model.pin_resets()
    source = Checkpoint(Path("none"), Card(shape, moods=("喜", "哀")), OLD, model)
    grown = grow(source, NEW, config=replace(shape, vocab_size=len(NEW), moods=5, styles=2)).eval()
    old, new = model.state_dict(), grown.state_dict()
    torch.testing.assert_close(new["labels.2.weight"][:3], old["labels.2.weight"])
    for row in (3, 4):
        torch.testing.assert_close(new["labels.2.weight"][row], old["labels.2.weight"].mean(dim=0))
    torch.testing.assert_close(new["labels.3.weight"], old["labels.3.weight"].expand(2, -1))
    for name in old:
        if name.startswith(("planner.", "labels.0", "labels.1")):
            assert torch.equal(new[name], old[name]), name
    ids, labels = torch.tensor([[1], [4], [6], [3]]), torch.tensor([[[2, 3, 2, 0]]] * 4)
    before, after = (m(ids, m.initial_state(1), labels)[0] for m in (model, grown))
    torch.testing.assert_close(after[..., : before.shape[-1]], before)


def songbook(path: Path, moods: str) -> Path:
    """Six songs of each mood."""
    rng = random.Random(moods)
    with path.open("w", encoding="utf-8") as file:
        for mood in moods * 6:
            lines = ["".join(rng.choices("星月雨风山海人来去我你", k=5)) for _ in range(4)]
            file.write(f"=== song\nmood: {mood}\n\n" + "\n".join(lines) + "\n\n")
    return path


def test_fine_tuning_gains_moods_and_keeps_those_that_it_knew(tmp_path: Path) -> None:
    cpu, wishes = torch.device("cpu"), Wishes(hidden=8, embedding=6, epochs=1)
    first, other = (songbook(tmp_path / f"{moods}.txt", moods) for moods in ("喜哀", "哀怒"))
    session = start_session(RunOptions((str(first),), tmp_path / "a", wishes=wishes), device=cpu, began=0.0)
    list(session.trainer.run())
    known = session.trainer.card.moods
    assert known == tuple(sorted("喜哀"))
    options = RunOptions((str(other),), tmp_path / "b", init_from=tmp_path / "a", wishes=Wishes(epochs=1))
    tuned = start_session(options, device=cpu, began=0.0)
    list(tuned.trainer.run())
    loaded = checkpoint.load(tmp_path / "b")
    assert loaded.card.moods == (*known, "怒") and loaded.card.model.moods == 4
    assert loaded.labeler is not None


def test_a_model_without_plans_learns_none_from_another_text(tmp_path: Path) -> None:
    cpu, wishes = torch.device("cpu"), Wishes(hidden=8, embedding=6, epochs=1)
    book = songbook(tmp_path / "book.txt", "喜哀")
    plain = RunOptions((str(book),), tmp_path / "a", wishes=wishes, plan=False)
    list(start_session(plain, device=cpu, began=0.0).trainer.run())
    options = RunOptions((str(book),), tmp_path / "b", init_from=tmp_path / "a", wishes=Wishes(epochs=1))
    tuned = start_session(options, device=cpu, began=0.0)
    assert tuned.trainer.model.planner is None and tuned.trainer.card.moods == ()
    tuned.trainer.folder.release()


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
