"""Who takes part: sizes brought to match, settings from a file, and what is refused."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from lyricgen.errors import InputError, LyricgenError, OptionError
from lyricgen.evaluation.contenders import (
    check_names,
    count_parameters,
    line_up,
    matching_hidden,
    model_config,
    read_configs,
)
from lyricgen.model.config import CELL_NAMES, ModelConfig
from lyricgen.training.recipe import Wishes

BASE = Wishes(hidden=128, embedding=64, layers=2, dropout=0.1, tied=False, residual=True, lr=0.004)
VOCAB = 500


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "configs.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_parameters_are_counted() -> None:
    config = ModelConfig(8, cell="rnn", embedding=3, hidden=4, layers=1, tied=False)
    # Embedding 8×3; inputs 4×(3 and the one that resets); state 4×4; two biases of 4; output 6×4 and its bias.
    assert count_parameters(config) == 24 + 16 + 16 + 8 + 24 + 6


@pytest.mark.parametrize("cell", CELL_NAMES)
@pytest.mark.parametrize("hidden", [32, 128, 384])
@pytest.mark.parametrize("tied", [False, True])
def test_the_width_that_matches_is_the_nearest(cell: str, hidden: int, tied: bool) -> None:
    goal = count_parameters(ModelConfig(VOCAB, cell="lstm", hidden=hidden, embedding=64, tied=tied))
    config = ModelConfig(VOCAB, cell=cell, embedding=64, tied=tied)
    found = matching_hidden(config, goal)
    off = abs(count_parameters(replace(config, hidden=found)) - goal)
    assert off / goal < 0.03
    for other in (found - 1, found + 1):
        assert off <= abs(count_parameters(replace(config, hidden=other)) - goal)


def test_cells_have_equal_parameters_or_equal_width() -> None:
    even = line_up(CELL_NAMES, {}, base=BASE, equal="parameters", vocab_size=VOCAB)
    sizes = [count_parameters(model_config(each.wishes, VOCAB)) for each in even]
    assert max(sizes) / min(sizes) < 1.02
    assert [each.wishes.cell for each in even] == ["rnn", "lstm", "gru"]
    assert even[0].wishes.hidden > even[2].wishes.hidden > even[1].wishes.hidden == 128  # type: ignore[operator]
    wide = line_up(CELL_NAMES, {}, base=BASE, equal="width", vocab_size=VOCAB)
    assert [each.wishes.hidden for each in wide] == [128] * 3


def test_named_settings_keep_what_they_say_and_share_the_rest(tmp_path: Path) -> None:
    path = written(tmp_path, '[wide]\ncell = "gru"\nhidden = 300\n[deep]\nlayers = 3\nlr = 1\n')
    wide, deep = line_up([], read_configs(path), base=BASE, equal="parameters", vocab_size=VOCAB)
    assert wide.name == "wide"
    assert wide.wishes == replace(BASE, cell="gru", hidden=300, lr=0.0026)  # 0.004 · √(128 / 300)
    assert deep.wishes == replace(BASE, cell="lstm", layers=3, lr=1, hidden=deep.wishes.hidden)
    reference = count_parameters(model_config(replace(BASE, cell="lstm"), VOCAB))
    assert count_parameters(model_config(deep.wishes, VOCAB)) == pytest.approx(reference, rel=0.02)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "configs.toml"
    path.write_text('["宽"]\ncell = "gru"\n', encoding="utf-8-sig")
    assert read_configs(path) == {"宽": Wishes(cell="gru")}


def test_settings_that_no_width_brings_to_as_many_parameters_are_told() -> None:
    big = {"big": Wishes(embedding=2000)}  # 500 tokens of 2,000 numbers: more than all that the LSTM has
    with pytest.raises(OptionError) as error:
        line_up(["rnn"], big, base=BASE, equal="parameters", vocab_size=VOCAB)
    goal = count_parameters(model_config(replace(BASE, cell="lstm"), VOCAB))
    least = count_parameters(model_config(replace(BASE, cell="lstm", embedding=2000, hidden=1), VOCAB))
    assert str(error.value) == (
        f"big cannot have as many parameters as the others: {least:,} at the nearest width, 1, and not {goal:,}; "
        "give big a smaller embedding, or compare with --equal width"
    )
    for equal, wishes in (("width", big["big"]), ("parameters", Wishes(embedding=2000, hidden=9))):
        line_up([], {"big": wishes}, base=BASE, equal=equal, vocab_size=VOCAB)  # a width of its own is meant so
    tiny = replace(BASE, hidden=4, embedding=4)  # a unit more or less is much
    with pytest.raises(OptionError, match=r"gru .*; give all a greater --hidden, or"):
        line_up(["gru"], {}, base=tiny, equal="parameters", vocab_size=15)


def test_the_learning_rate_goes_with_the_root_of_the_width() -> None:
    base = replace(BASE, optimizer="muon", lr=0.01, weight_decay=0.1)
    named = {
        "half": Wishes(hidden=64),  # 0.01 · √2
        "four": Wishes(hidden=512),
        "narrow": Wishes(hidden=8),  # 0.04, above the highest
        "own": Wishes(hidden=512, lr=0.02, weight_decay=0.3),
        "adam": Wishes(hidden=512, optimizer="adam"),
    }
    found = line_up(["lstm"], named, base=base, equal="width", vocab_size=VOCAB)
    rates = {each.name: each.wishes.lr for each in found}
    assert rates == {"lstm": 0.01, "half": 0.014, "four": 0.005, "narrow": 0.032, "own": 0.02, "adam": 0.01}
    decays = {each.name: each.wishes.weight_decay for each in found}  # the two multiply to the same
    assert decays == {"lstm": 0.1, "half": 0.071, "four": 0.2, "narrow": 0.031, "own": 0.3, "adam": 0.1}
    rnn, lstm, _ = line_up(CELL_NAMES, {}, base=base, equal="parameters", vocab_size=VOCAB)
    assert rnn.wishes.hidden and lstm.wishes.lr == 0.01
    assert rnn.wishes.lr == pytest.approx(0.01 * math.sqrt(128 / rnn.wishes.hidden), rel=0.01)
    before = line_up(CELL_NAMES, named, base=base, equal="parameters", vocab_size=VOCAB, lr_by_width=False)
    assert [each.wishes.lr for each in before] == [0.01] * 6 + [0.02, 0.01]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no settings"),
        ("[a", "is not TOML"),
        ("hidden = 3", "stands outside of any table"),
        ("[a]\nhiden = 3", "has no setting 'hiden'; there are cell, hidden"),
        ("[a]\nseed = 3", "gives to all alike"),
        ('[a]\nhidden = "big"', "hidden must be int, got 'big'"),
        ("[a]\nhidden = 1.5", "hidden must be int"),
        ("[a]\ntied = 1", "tied must be bool"),
        ("[a]\nlayers = true", "layers must be int"),
        ("[a]\nhidden = 0", "[a] hidden must be from 1"),
        ('[a]\ncell = "elman"', "[a] cell must be one of rnn, lstm, gru, got 'elman'"),
        ('[a]\noptimizer = "sgd"', "[a] optimizer must be one of muon, adamw, adam, got 'sgd'"),
        ('[a]\nschedule = "step"', "[a] schedule must be one of linear, cosine, constant, got 'step'"),
        ("[a]\nclip = 0", "[a] clip must be from"),
        ("[a]\nwarmup = 1", "[a] warmup must be from 0 to 0.9, got 1"),
        ("[a]\nweight_decay = -1", "[a] weight_decay must be from"),
        ("[a]\npatience = -1", "[a] patience must be from"),
        ("[a]\naverage = 2.0", "[a] average must be from"),
        ("[a]\ntoken_drop = 1", "[a] token_drop must be from"),
        ("[a]\nclip = nan", "[a] clip must be from"),
        ('["../a"]\nhidden = 1', "names a folder"),
    ],
)
def test_a_file_that_cannot_be(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(LyricgenError) as error:
        read_configs(path)
    assert says in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_configs(tmp_path / "nowhere.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_configs(tmp_path / "b.toml")


def test_a_cell_that_there_is_not_and_a_name_twice() -> None:
    with pytest.raises(OptionError, match="cell must be one of rnn, lstm, gru, got 'elman'"):
        line_up([], {"a": Wishes(cell="elman")}, base=BASE, equal="width", vocab_size=VOCAB)
    with pytest.raises(OptionError, match="gru is both a cell and a name"):
        line_up(["gru"], {"gru": Wishes(lr=1)}, base=BASE, equal="width", vocab_size=VOCAB)


@pytest.mark.parametrize(
    ("cells", "names", "says"),
    [
        (["rnn", "gru"], ["GRU"], "GRU is both a cell and a name"),
        ([], ["Wide", "deep", "wide"], "Wide and wide of --configs differ only in case"),
    ],
)
def test_names_of_one_folder_where_case_does_not_count(cells: list[str], names: list[str], says: str) -> None:
    with pytest.raises(OptionError, match=says):
        check_names(cells, dict.fromkeys(names, Wishes()))
    check_names([], dict.fromkeys(names[:1], Wishes()))
