"""An evaluation as one page for a browser: every figure with a sentence that says what it means."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from lyricgen.evaluation import svg
from lyricgen.evaluation.held_out import HeldOut, SongScore
from lyricgen.evaluation.metrics import shown_perplexity, standard_error
from lyricgen.evaluation.page import beside, card, figure, folded, legend, page, paragraph, table
from lyricgen.evaluation.samples import Measure, Samples
from lyricgen.evaluation.temperature import TemperatureFit
from lyricgen.evaluation.wording import COPIED, MEANINGS
from lyricgen.model.checkpoint import Card
from lyricgen.text.phonetics import THIRTEEN
from lyricgen.text.song import Song

EXTREMES = 5  # songs shown that are predicted best, and worst
FEW = 5  # songs that a line position needs to be shown
SHOWN = 12  # written songs
LONGEST = 24  # units of a line; longer ones share the last bar


@dataclass(frozen=True)
class Subject:
    """What was evaluated on what: a model's folder, its card, its level, and the names of the texts."""

    model: str
    card: Card
    level: str
    texts: tuple[str, ...]


def render(
    subject: Subject,
    found: HeldOut,
    *,
    fit: TemperatureFit | None,
    samples: Samples | None,
    chinese: bool,
    per_song: bool = False,
    per_line: bool = False,
) -> str:
    """The page, as HTML that refers to nothing outside itself. `found` has to hold lines.

    `per_song`: with a table of all songs; `per_line`: with all lines of each.
    """
    write = _Report(subject, found, fit, samples, chinese)
    title = write.say(f"{subject.model}: evaluation", f"{subject.model}：评测")
    body = [f"<h1>{escape(title)}</h1>", *write.subject(), *write.summary(), *write.by_song(), *write.by_position()]
    if samples is None:
        remedy = write.say("Add --samples N to see what the model writes.", "加上 --samples N，可以看模型写得怎样。")
        body.append(paragraph(remedy, kind="soft"))
    else:
        body += [*write.written(samples), *write.lengths(samples), *write.rhymes(samples), *write.copying(samples)]
        body += write.songs(samples)
    if per_song or per_line:
        body += write.each_song(per_line=per_line)
    return page(body, title=title, language="zh-Hans" if chinese else "en")


@dataclass(frozen=True)
class _Report:
    """The sections of the page, each a list of pieces of HTML."""

    about: Subject
    found: HeldOut
    fit: TemperatureFit | None
    samples: Samples | None
    chinese: bool

    def say(self, english: str, chinese: str) -> str:
        return chinese if self.chinese else english

    def section(self, english: str, chinese: str) -> str:
        return f"<h2>{escape(self.say(english, chinese))}</h2>"

    def subject(self) -> list[str]:
        network, corpus = self.about.card.model, self.about.card.corpus
        kind = f"{network.cell.upper()} {network.layers} × {network.hidden}, {self.about.level}"
        learned = ", ".join(map(str, corpus.get("names", []))) or "–"
        rows = [
            (self.say("Network", "网络"), kind),
            (self.say("Learned from", "学自"), learned),
            (self.say("Text", "文本"), ", ".join(self.about.texts)),
        ]
        if self.samples is not None:
            drawn = self.samples.sampling
            how = f"{len(self.samples.texts)}, --seed {self.samples.seed}, temperature {drawn.temperature:g}"
            rows.append((self.say("Written songs", "写的歌"), f"{how}, top-p {drawn.top_p:g}"))
        inside = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
        return [f"<dl>{inside}</dl>"]

    def summary(self) -> list[str]:
        found, error = self.found, self.found.standard_error
        spread = "" if error is None else f"± {error:.4f}"
        bits, confusion = found.nats_per_char / math.log(2), shown_perplexity(found.nats, found.tokens)
        cards = [
            card(f"{found.nats_per_char:.4f}", self.say("Nats per character", "每字奈特"), self.say(
                "Mean surprise at a character of the text, line breaks counted; lower is better. ± one standard "
                "error: how far other songs like these would move it.",
                "模型对文本每个字（换行也算）平均有多意外，越低越好。± 是一个标准误差：换一批同类的歌，"
                "大约会变动多少。"),
                spread=spread),
            card(f"{bits:.4f}", self.say("Bits per character", "每字比特"), self.say(
                "The same in bits: what a character would take in a file compressed by this model.",
                "同一个量换成比特：用这个模型压缩文本，每个字要占多少。")),
            card(confusion, self.say("Perplexity per token", "每词元困惑度"), self.say(
                "Among how many equally likely tokens the model would hesitate as much. Only models of the same "
                "tokens compare by it.",
                "相当于在多少个同样可能的词元之间犹豫。只有词元相同的模型才能比。")),
            card(f"{found.chars:,}", self.say("Characters", "字数"), self.say(
                f"In {found.texts:,} songs and {found.tokens:,} tokens; {found.unknown_chars:,} characters are not "
                "in the vocabulary.",
                f"共 {found.texts:,} 首、{found.tokens:,} 个词元；其中 {found.unknown_chars:,} 个字不在词表里。")),
        ]  # fmt: skip
        if self.fit is not None:
            cards.append(card(f"{self.fit.temperature:.3f}", self.say("Best temperature", "最佳温度"), self.say(
                "Dividing the model's log-odds by this predicts the text best: above 1 it is too sure of itself, "
                f"below 1 not sure enough. It would gain {self.fit.nats_per_char:.4f} nats per character.",
                "把模型的对数几率除以它，预测得最好：大于 1 说明模型过于自信，小于 1 说明不够自信。"
                f"每字可以省 {self.fit.nats_per_char:.4f} 奈特。")))  # fmt: skip
        body = [self.section("Summary", "概要"), f'<div class="figures">{"".join(cards)}</div>']
        if found.bound:
            body.append(paragraph(self.say(
                "This model reads words: its figure belongs to one way of cutting the text, and is an upper bound.",
                "这个模型按词读：这里的数字属于一种切词方式，是上界。"), kind="soft"))  # fmt: skip
        return body + [paragraph(text, kind="note") for text in self._warnings()]

    def _warnings(self) -> list[str]:
        return self.samples.warnings(chinese=self.chinese) if self.samples is not None else []

    def by_song(self) -> list[str]:
        songs = sorted(self.found.songs, key=lambda song: song.nats_per_char)
        if len(songs) < 2 or not math.isfinite(self.found.nats):
            return []
        costs = [song.nats_per_char for song in songs]
        name = self.say("nats per character", "每字奈特")
        chart = svg.histogram(costs, [song.title or "–" for song in songs], x=name,
                              label=self.say("Songs by nats per character", "各首歌的每字奈特"))  # fmt: skip
        body = [
            self.section("Songs", "各首歌"),
            paragraph(self.say(
                "How many songs are predicted how well; each stroke below the bars is a song. To the left are the "
                "songs that the model finds ordinary, to the right those that surprise it.",
                "多少首歌被预测得多好，条形下面每一道是一首歌。左边是模型觉得平常的，右边是它没料到的。")),
        ]  # fmt: skip
        if len(songs) < 2 * EXTREMES or not all(song.title for song in songs):
            return [*body, figure(chart)]
        best, worst = self.say("Predicted best", "预测得最好"), self.say("Predicted worst", "预测得最差")
        tables = table([best, name], _song_rows(songs[:EXTREMES]), numbers=1)
        tables += table([worst, name], _song_rows(songs[-EXTREMES:][::-1]), numbers=1)
        return [*body, beside(figure(chart), tables)]

    def by_position(self) -> list[str]:
        spots = positions(self.found.songs)
        if len(spots) < 2:
            return []
        chart = svg.curve(spots, x=self.say("line of the song", "歌的第几行"),
                          label=self.say("Nats per character by line", "各行的每字奈特"))  # fmt: skip
        return [
            self.section("Lines", "各行"),
            paragraph(self.say(
                "Nats per character of the first, second, third … line of a song, with one standard error. It falls "
                "where the model makes use of what the song has said before, and where choruses return.",
                "歌的第一、二、三……行平均每字多少奈特，色带是一个标准误差。模型用得上前文时、副歌重复时，它会下降。")),
            figure(chart),
        ]  # fmt: skip

    def each_song(self, *, per_line: bool) -> list[str]:
        head = [self.say("Song", "歌"), self.say("characters", "字数"), self.say("nats per character", "每字奈特")]
        body = [self.section("Song by song", "逐首")]
        if not per_line:
            rows = [[song.title or "–", f"{song.chars:,}", f"{song.nats_per_char:.4f}"] for song in self.found.songs]
            return [*body, table(head, rows, numbers=2)]
        end = self.say("(the end)", "（结尾）")
        head[0] = self.say("Line, its line break counted", "行，连同换行")
        for song in self.found.songs:
            rows = [[end if line.end else line.text, f"{line.chars:,}", _cost(line.nats_per_char)]
                    for line in song.lines]  # fmt: skip
            body.append(folded(song.title or "–", f"{song.nats_per_char:.4f}", table(head, rows, numbers=2)))
        return body

    def _table(self, measures: Sequence[Measure]) -> str:
        head = [self.say("Measure", "指标"), self.say("Written", "模型写的"), self.say("This text", "这份文本")]
        rows = []
        for measure in measures:
            meaning = MEANINGS[measure.name]
            name, sentence = meaning.name(chinese=self.chinese), meaning.sentence(chinese=self.chinese)
            rows.append([f"{name}\n{sentence}", *measure.shown()])
        return table(head, rows, numbers=2)

    def _some(self, samples: Samples, *prefixes: str) -> str:
        return self._table([measure for measure in samples.measures if measure.name.startswith(prefixes)])

    def written(self, samples: Samples) -> list[str]:
        return [
            self.section("What the model writes", "模型写得怎样"),
            paragraph(self.say(
                "Each figure of the songs that the model wrote stands beside the same figure of this text: the "
                "nearer, the more alike the songs are made. No figure here says that a song is good.",
                "模型写的歌和这份文本用同样的办法衡量：越接近，说明写法越像。这些数字都不说明歌好不好。")),
            self._some(samples, "distinct", "self_bleu", "repeated", "lines_per_song"),
        ]  # fmt: skip

    def _legend(self) -> str:
        return legend([("a", self.say("written", "模型写的")), ("b", self.say("this text", "这份文本"))])

    def _bars(self, written: Sequence[float], people: Sequence[float]) -> list[svg.Bars]:
        return [
            svg.Bars(self.say("written", "模型写的"), "a", written),
            svg.Bars(self.say("this text", "这份文本"), "b", people),
        ]

    def lengths(self, samples: Samples) -> list[str]:
        places = list(range(1, LONGEST + 1))
        bars = self._bars(*(_length_shares(style.lengths) for style in (samples.written, samples.people)))
        last = max((k for k in range(LONGEST) if any(each.shares[k] for each in bars)), default=0) + 1
        shown = [svg.Bars(each.name, each.kind, each.shares[:last]) for each in bars]
        names = [f"{place}+" if place == LONGEST else str(place) for place in places[:last]]
        chart = svg.paired_bars(names, shown, x=self.say("characters in a line", "一行的字数"),
                                label=self.say("Lengths of lines", "行长分布"))  # fmt: skip
        return [
            self.section("Lengths of lines", "行长"),
            paragraph(self.say("Which share of the lines has how many characters.", "各种长度的行所占的比例。")),
            beside(figure(chart, above=self._legend()), self._some(samples, "line_length")),
        ]

    def rhymes(self, samples: Samples) -> list[str]:
        head, figures = self.section("Rhyme", "押韵"), self._some(samples, "rhyme", "same_ends")
        styles = (samples.written, samples.people)
        if not all(style.rhymes.classes for style in styles):
            return [head, figures]
        shares = [
            [style.rhymes.classes[name] / style.rhymes.classes.total() for name in THIRTEEN] for style in styles
        ]
        chart = svg.paired_bars([name[0] for name in THIRTEEN], self._bars(*shares),
                                x=self.say("rhyme class of the line end", "行末的韵辙"),
                                label=self.say("Line ends by rhyme class", "行末各辙的比例"))  # fmt: skip
        names = "、".join(THIRTEEN)
        below = paragraph(self.say(
            f"Which share of the line ends falls into which of the thirteen classes ({names}; each shown by its "
            "first character).",
            f"行末落在十三辙各辙的比例（{names}；图中各取头一个字）。"), kind="soft")  # fmt: skip
        return [head, beside(figure(chart, above=self._legend()) + below, figures)]

    def copying(self, samples: Samples) -> list[str]:
        if samples.training is None:
            return []
        return [
            self.section("Copying", "照抄"),
            paragraph(self.say(
                f"How much of what was written stands in the {samples.training.songs:,} training songs, beside how "
                "much of this text does. A model that writes its own lines is near the text; one that recites is far "
                "above it. Runs leave spaces and punctuation out and may go on over line ends.",
                f"写出来的内容有多少在 {samples.training.songs:,} 首训练用的歌里出现过，旁边是这份文本的同一个数。"
                "自己写词的模型与文本相近，背词的模型远高于它。字串不计空格和标点，可以跨行。")),
            self._some(samples, "copied"),
        ]  # fmt: skip

    def songs(self, samples: Samples) -> list[str]:
        shown = list(zip(samples.texts, samples.written.songs, samples.marks, strict=True))[:SHOWN]
        body = [self.section("The songs", "写出来的歌")]
        if len(shown) < len(samples.texts):
            body.append(paragraph(self.say(f"The first {SHOWN} of them.", f"列出前 {SHOWN} 首。"), kind="soft"))
        if samples.training is not None:
            body.append(paragraph(COPIED(chinese=self.chinese)))
        cards = []
        for number, (text, song, marks) in enumerate(shown, 1):
            cost = self.say(f"{text.nats_per_char:.2f} nats per character", f"每字 {text.nats_per_char:.2f} 奈特")
            head = f'<h3>{number} <span class="soft">{cost}</span></h3>'
            cards.append(f'<div class="card song" lang="zh-Hans">{head}{_verses(song, marks)}</div>')
        return [*body, f'<div class="songs">{"".join(cards)}</div>']


def _verses(song: Song, marks: Sequence[Sequence[bool]]) -> str:
    """The lines of a song as HTML, a paragraph for each section, marked characters underlined."""
    lines = iter([underlined(line, row) for line, row in zip(song.lines, marks, strict=True)])
    return "".join(f"<p>{'<br>'.join(next(lines) for _ in section.lines)}</p>" for section in song.sections)


def _cost(nats: float | None) -> str:
    return "–" if nats is None else f"{nats:.4f}"


def _song_rows(songs: Sequence[SongScore]) -> list[list[str]]:
    return [[song.title, f"{song.nats_per_char:.3f}"] for song in songs]


def positions(songs: Sequence[SongScore]) -> list[svg.Spot]:
    """Nats per character of the n-th sung line over songs, for every n that at least FEW songs reach."""
    sung = [[line for line in song.lines if line.text.strip()] for song in songs]
    spots = []
    for place in range(max(map(len, sung), default=0)):
        there = [lines[place] for lines in sung if len(lines) > place]
        nats, chars = [line.nats for line in there], [line.chars for line in there]
        if len(there) < FEW or not math.isfinite(sum(nats)):
            break
        spots.append(svg.Spot(place + 1, sum(nats) / sum(chars), standard_error(nats, chars)))
    return spots


def _length_shares(lengths: Counter[int]) -> list[float]:
    """The share of lines of each length from 1 to LONGEST, longer ones with the last."""
    counts = [0] * LONGEST
    for length, count in lengths.items():
        if length:
            counts[min(length, LONGEST) - 1] += count
    return [count / max(1, sum(counts)) for count in counts]


def underlined(line: str, marks: Sequence[bool]) -> str:
    """A line as HTML, its marked characters underlined."""
    runs = groupby(zip(line, marks, strict=True), key=lambda pair: pair[1])
    parts = ((marked, escape("".join(character for character, _ in run))) for marked, run in runs)
    return "".join(f"<u>{text}</u>" if marked else text for marked, text in parts)
