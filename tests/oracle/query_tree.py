"""A rule's query, from its words to a tree, by the grammar of rules.md.

It reads what is right; what is wrong is for the detector to tell of. One
function for each level of the grammar.
"""

from collections import namedtuple

from query_words import NotOfTheGrammar, words

# Expressions. A Literal's type is a KQL type; a list's items are Literals.
Literal = namedtuple("Literal", "type value")
Column = namedtuple("Column", "name")
Member = namedtuple("Member", "of key")
Call = namedtuple("Call", "name args")
Compare = namedtuple("Compare", "operator left right")
Logic = namedtuple("Logic", "word parts")
Items = namedtuple("Items", "all")
InSet = namedtuple("InSet", "name column")
Range = namedtuple("Range", "first last")

# Operators. assigned: pairs of a name and an expression.
Where = namedtuple("Where", "condition")
Extend = namedtuple("Extend", "assigned")
Project = namedtuple("Project", "assigned")
Away = namedtuple("Away", "names")
Reorder = namedtuple("Reorder", "names")
Expand = namedtuple("Expand", "name value type ops")
Parse = namedtuple("Parse", "value pieces")
Sort = namedtuple("Sort", "")
Distinct = namedtuple("Distinct", "")

# A piece of parse: a literal, a name or "*".
Piece = namedtuple("Piece", "kind text")

SetOf = namedtuple("SetOf", "window ops")
Watchlist = namedtuple("Watchlist", "name ops")
Query = namedtuple("Query", "sets branches tail")

TIGHT = {"has", "has_cs", "contains", "startswith", "endswith", "matches",
         "=~", "!~"} | {"!has", "!has_cs", "!contains", "!startswith",
                        "!endswith"}
LOOSE = {"==", "!=", "<>", "<", "<=", ">", ">=", "in", "!in", "in~", "!in~",
         "has_any", "has_all", "between"}
LISTED = {"in", "!in", "in~", "!in~", "has_any", "has_all"}
TRUTHS = {"true": True, "True": True, "TRUE": True,
          "false": False, "False": False, "FALSE": False}
TYPES = {"string", "dynamic", "bool", "long", "real", "datetime", "timespan",
         "int"}


def read(source):
    """Read a whole query."""
    return _Reader(source).query()


def read_expression(source):
    """Read an expression alone."""
    return _Reader(source).expression()


def read_pipeline(source):
    """Read operators alone, the first without its bar."""
    return _Reader(source).operators()


def literal_of(value):
    """Give the literal of a dynamic's element."""
    if isinstance(value, str):
        return Literal("string", value)
    if isinstance(value, bool):
        return Literal("bool", value)
    if isinstance(value, int):
        return Literal("long", value)
    return Literal("dynamic", value)


class _Reader:
    """Goes from word to word."""

    def __init__(self, source):
        self.source, self.words, self.at = source, words(source), 0
        self.lets = {}

    # Words.

    @property
    def word(self):
        return self.words[self.at]

    def is_at(self, *texts):
        return self.word.kind in ("name", "sign") and self.word.text in texts

    def take(self, *texts):
        if not self.is_at(*texts):
            return False
        self.at += 1
        return True

    def expect(self, text):
        if not self.take(text):
            raise NotOfTheGrammar(f"{text!r} should stand before "
                                  f"{self.source[self.word.at:][:40]!r}")

    def name(self):
        if self.take("["):
            name = self.text()
            self.expect("]")
            return name
        if self.word.kind != "name":
            raise NotOfTheGrammar(f"no name: {self.word}")
        self.at += 1
        return self.words[self.at - 1].text

    def text(self):
        """Take literals that stand next to each other: one text."""
        if self.word.kind != "text":
            raise NotOfTheGrammar(f"no text: {self.word}")
        parts = []
        while self.word.kind == "text":
            parts.append(self.word.value)
            self.at += 1
        return "".join(parts)

    def follows(self, *texts):
        return self.words[self.at + 1].text in texts

    # The query.

    def query(self):
        while self.take("let"):
            name = self.name()
            self.expect("=")
            self.lets[name] = self.let()
            self.expect(";")
        query = self.run()
        self.take(";")
        if self.word.kind != "end":
            raise NotOfTheGrammar(f"no end: {self.word}")
        return query

    def let(self):
        opened = self.is_at("(")
        self.take("(")
        if self.take("IdentityInfo"):
            value = self.accounts()
        elif self.take("_GetWatchlist"):
            value = self.watchlist()
        else:
            value = self.literal()
        if opened:
            self.expect(")")
        return value

    def accounts(self):
        window = None
        self.expect("|")
        if self.is_at("where") and self.follows("TimeGenerated"):
            self.at += 2
            self.at += 1  # > or >=
            window = self.expression().args[0].value
            self.expect("|")
        for word in ("summarize", "arg_max", "(", "TimeGenerated", ",", "*",
                     ")", "by", "AccountUPN"):
            self.expect(word)
        return SetOf(window, self.operators() if self.take("|") else [])

    def watchlist(self):
        self.expect("(")
        name = self.text()
        self.expect(")")
        return Watchlist(name, self.operators() if self.take("|") else [])

    def run(self):
        """Read the run itself; parentheses around it change nothing."""
        if self.take("("):
            inner = self.run()
            self.expect(")")
            more = self.operators() if self.take("|") else []
            return inner._replace(tail=inner.tail + more)
        if not self.take("union"):
            return Query(self.sets(), [self.branch()], [])
        if self.take("isfuzzy"):
            self.expect("=")
            self.expect("true")
        branches = []
        while not branches or self.take(","):
            self.expect("(")
            branches.append(self.branch())
            self.expect(")")
        return Query(self.sets(), branches,
                     self.operators() if self.take("|") else [])

    def sets(self):
        return {name: value for name, value in self.lets.items()
                if not isinstance(value, Literal)}

    def branch(self):
        self.expect("AuditLogs")
        return self.operators() if self.take("|") else []

    # Operators.

    def operators(self):
        ops = [self.operator()]
        while self.take("|"):
            ops.append(self.operator())
        return ops

    def operator(self):
        word = self.name()
        read_it = getattr(self, "op_" + word.replace("-", "_"), None)
        if read_it is None:
            raise NotOfTheGrammar(f"no operator: {word}")
        return read_it()

    def op_where(self):
        return Where(self.expression())

    def op_extend(self):
        return Extend(self.assigned())

    def op_project(self):
        return Project(self.assigned())

    def assigned(self):
        pairs = [self.assignment()]
        while self.take(","):
            pairs.append(self.assignment())
        return pairs

    def is_assignment(self):
        if self.is_at("["):
            return self.words[self.at + 3].text == "="
        return self.word.kind == "name" and self.follows("=")

    def assignment(self):
        if self.is_assignment():
            name = self.name()
            self.expect("=")
            return name, self.expression()
        value = self.expression()
        return own_name(value), value

    def op_project_away(self):
        return Away(self.names())

    def op_project_reorder(self):
        return Reorder(self.names())

    def names(self):
        names = [self.name()]
        while self.take(","):
            names.append(self.name())
        return names

    def op_mv_expand(self):
        name, value = self.assignment()
        kind = "dynamic"
        if self.take("to"):
            self.expect("typeof")
            self.expect("(")
            kind = self.name()
            self.expect(")")
        return Expand(name, value, kind, None)

    def op_mv_apply(self):
        name, value = self.assignment()
        self.expect("on")
        self.expect("(")
        ops = self.operators()
        self.expect(")")
        return Expand(name, value, "dynamic", ops)

    def op_parse(self):
        value = self.expression()
        self.expect("with")
        pieces = []
        while self.word.kind in ("text", "name") or self.is_at("*", "["):
            pieces.append(self.piece())
        return Parse(value, pieces)

    def piece(self):
        if self.take("*"):
            return Piece("any", "")
        if self.word.kind == "text":
            return Piece("literal", self.text())
        piece = Piece("name", self.name())
        if self.take(":"):
            self.expect("string")
        return piece

    def op_order(self):
        self.expect("by")
        while self.expression() and (self.take("asc", "desc") or True) \
                and (not self.take("nulls") or self.take("first", "last")) \
                and self.take(","):
            pass
        return Sort()

    op_sort = op_order

    def op_take(self):
        self.literal()
        return Sort()

    op_limit = op_take

    def op_distinct(self):
        """Read distinct *; of a watchlist one column, which is all of it."""
        return Distinct() if self.take("*") else Project([self.assignment()])

    # Expressions.

    def expression(self):
        return self.chain("or", lambda: self.chain("and", self.comparison))

    def chain(self, word, part):
        parts = [part()]
        while self.take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Logic(word, parts)

    def comparison(self):
        return self.compared(LOOSE, self.tight)

    def tight(self):
        return self.compared(TIGHT, self.path)

    def compared(self, operators, operand):
        left = operand()
        if not self.is_at(*operators):
            return left
        word = self.word.text
        self.at += 1
        return Compare(word, left, self.right(word, operand))

    def right(self, word, operand):
        if word in LISTED:
            return self.listed()
        if word == "between":
            self.expect("(")
            first = self.path()
            self.expect("..")
            last = self.path()
            self.expect(")")
            return Range(first, last)
        if word == "matches":
            self.expect("regex")
        return operand()

    def listed(self):
        depth = 0
        while self.take("("):
            depth += 1
        found = self.set_of_list() or self.items()
        for _ in range(depth):
            self.expect(")")
        return found

    def set_of_list(self):
        name = self.word.text
        if name not in self.sets():
            return None
        self.at += 1
        if not self.take("|"):
            return InSet(name, None)
        self.expect("project")
        return InSet(name, self.name())

    def items(self):
        all_items = self.item()
        while self.take(","):
            all_items += self.item()
        return Items(all_items)

    def item(self):
        value = self.lets[self.name()] if self.word.text in self.lets \
            else self.literal()
        if isinstance(value.value, list):
            return [literal_of(one) for one in value.value]
        return [value]

    def path(self):
        value = self.primary()
        while self.is_at(".", "["):
            value = Member(value, self.step())
        return value

    def step(self):
        if self.take("."):
            return self.name()
        self.expect("[")
        sign = -1 if self.take("-") else 1
        key = self.text() if self.word.kind == "text" \
            else sign * self.number()
        self.expect("]")
        return key

    def number(self):
        if self.word.kind != "number":
            raise NotOfTheGrammar(f"no number: {self.word}")
        self.at += 1
        return self.words[self.at - 1].value

    def primary(self):
        if self.is_literal():
            return self.literal()
        if self.take("("):
            value = self.expression()
            self.expect(")")
            return value
        if self.word.kind == "name" and self.follows("("):
            return self.call()
        name = self.name()
        return self.lets.get(name) or Column(name)

    def call(self):
        name = self.name()
        self.expect("(")
        args = []
        while not self.take(")"):
            args.append(self.expression())
            if not self.is_at(")"):
                self.expect(",")
        return Call(name, args)

    # Literals.

    def is_literal(self):
        return self.word.kind in ("text", "number", "span") \
            or self.is_at("-", *TRUTHS) or self.is_typed()

    def is_typed(self):
        return self.word.text in TYPES - {"string"} and self.follows("(")

    def literal(self):
        if self.is_typed():
            return self.typed()
        if self.word.kind == "text":
            return Literal("string", self.text())
        if self.word.kind == "span":
            self.at += 1
            return Literal("timespan", self.words[self.at - 1].value)
        if self.word.text in TRUTHS:
            return Literal("bool", TRUTHS[self.name()])
        sign = -1 if self.take("-") else 1
        value = sign * self.number()
        return Literal("long" if isinstance(value, int) else "real", value)

    def typed(self):
        kind = self.name()
        if kind in ("datetime", "timespan"):
            raise NotOfTheGrammar(f"not read here: {kind}(..)")
        self.expect("(")
        value = self.json() if kind == "dynamic" else self.plain_value()
        self.expect(")")
        return Literal("long" if kind == "int" else kind, value)

    def plain_value(self):
        return None if self.take("null") else self.literal().value

    def json(self):
        if self.take("["):
            return self.json_items("]", self.json)
        if self.take("{"):
            return dict(self.json_items("}", self.json_pair))
        return self.plain_value()

    def json_items(self, end, item):
        found = []
        while not self.take(end):
            found.append(item())
            if not self.is_at(end):
                self.expect(",")
        return found

    def json_pair(self):
        key = self.text()
        self.expect(":")
        return key, self.json()


def own_name(value):
    """Give the name that a column or a path has by itself."""
    if isinstance(value, Column):
        return value.name
    if isinstance(value, Member):
        return f"{own_name(value.of)}_{value.key}"
    raise NotOfTheGrammar(f"an expression without a name: {value}")
