// JSON with placeholders as it is typed: its pieces for colours, and the first place that is none. What the server says at
// Save and Test stands; this says it earlier (core/inserting/jsonbodies.py is the judge).
(() => {
  "use strict";
  const PIECE = /\s+|"(?:[^"\\\n]|\\[^\n])*"?|\{\{\s*[A-Za-z_][^{}\n]*\}\}|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_]\w*|[{}[\]:,]|[^]/gu;
  const ESCAPE = /\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4}|\{\{)/;
  const WORDS = ["true", "false", "null"];
  const QUOTES = "'‘’‚‛“”„‟«»′″`´";
  const CLOSES = { "{": "}", "[": "]" };

  function kindOf(text) {
    if (/^\s/.test(text)) return "space";
    if (text[0] === '"') return "string";
    if (text.startsWith("{{") && text.length > 2) return "name";
    if (/^-?\d/.test(text)) return "number";
    if (/^[A-Za-z_]/.test(text)) return "word";
    return "{}[]:,".includes(text) ? "sign" : "other";
  }
  // What is wrong with a piece alone: [sentence, where in it], or nothing.
  function faultIn(kind, text) {
    if (kind === "other") return [QUOTES.includes(text) ? `is ${text}: JSON wants straight double quotes (").` : `“${text}” has no meaning in JSON.`, 0];
    if (kind === "word" && !WORDS.includes(text)) return [WORDS.includes(text.toLowerCase()) ? `“${text}” is written in small letters: ${text.toLowerCase()}.` : `“${text}” needs double quotes around it.`, 0];
    if (kind === "number" && /^-?0\d/.test(text)) return ["a number begins with 0; leave the 0 out, or put it in quotes.", 0];
    if (kind !== "string") return null;
    if (text.length === 1 || !/^"(?:[^"\\]|\\.)*"$/s.test(text)) return ["a text begins that has no closing double quote.", 0];
    const escape = ESCAPE.exec(text);
    return escape && [`“${text.slice(escape.index, escape.index + 2)}” is no escape that JSON knows; a backslash is written “\\\\”.`, escape.index];
  }

  // The next piece in the order that JSON wants. `expects`: value, first (a value or the end), key, firstkey, colon, comma, end.
  class Order {
    constructor() { this.open = []; this.expects = "value"; this.comma = null; }
    ends() { this.expects = this.open.length ? "comma" : "end"; }
    opens(sign) { this.open.push(sign); this.expects = sign === "{" ? "firstkey" : "first"; }
    closes(sign) {
      if (CLOSES[this.open.at(-1)] !== sign || !["comma", "first", "firstkey"].includes(this.expects)) return false;
      this.open.pop();
      this.ends();
      return true;
    }
    // Whether it fits; a text that is a key says so by "key".
    takes(kind, text) {
      if (kind === "sign" && "}]".includes(text)) return this.closes(text);
      if (["value", "first"].includes(this.expects)) {
        if (kind === "sign") { if (!CLOSES[text]) return false; this.opens(text); } else this.ends();
        return true;
      }
      if (["key", "firstkey"].includes(this.expects)) {
        if (kind !== "string") return false;
        this.expects = "colon";
        return "key";
      }
      if (this.expects === "colon" && text === ":") { this.expects = "value"; return true; }
      if (this.expects !== "comma" || text !== ",") return false;
      this.expects = this.open.at(-1) === "{" ? "key" : "value";
      return true;
    }
    why(text) {
      if (this.expects === "end") return "the JSON has ended already before this.";
      if ("}]".includes(text) && this.comma !== null) return "is a comma after the last item; remove it.";
      const wanted = { value: "a value", first: "a value", key: "a name in double quotes", firstkey: "a name in double quotes", colon: "a colon (:)", comma: `a comma or ${CLOSES[this.open.at(-1)]}` }[this.expects];
      return `${wanted} is missing before “${text.length > 20 ? `${text.slice(0, 20)}…` : text}”.`;
    }
  }

  // {pieces: [[kind, text]], fault: {at, length, sentence} or null}
  function read(text) {
    const pieces = [], order = new Order();
    let fault = null, at = 0;
    for (const [piece] of text.matchAll(PIECE)) {
      const kind = kindOf(piece);
      let shown = kind;
      if (kind !== "space" && !fault) {
        const own = faultIn(kind, piece);
        const fits = own ? false : order.takes(kind, piece);
        if (fits === "key") shown = "key";
        if (own) fault = { at: at + own[1], length: own[1] ? 2 : piece.length, sentence: own[0] };
        else if (!fits) fault = order.comma !== null && "}]".includes(piece) ? { at: order.comma, length: 1, sentence: order.why(piece) } : { at, length: piece.length, sentence: order.why(piece) };
        order.comma = piece === "," ? at : null;
      }
      pieces.push([shown, piece]);
      at += piece.length;
    }
    if (!fault && order.expects !== "end" && text.trim()) {
      const last = order.open.at(-1);
      fault = { at: text.trimEnd().length, length: 0, sentence: last && order.expects !== "value" && order.expects !== "colon" ? `the text ends and ${CLOSES[last]} is missing.` : "the text ends too early." };
    }
    return { pieces, fault };
  }
  httpstep.readJson = read;
})();
