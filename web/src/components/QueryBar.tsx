/** A search with qualifiers: clauses become chips, and what may follow is offered. */

import { UnstyledButton } from "@mantine/core";
import { IconSearch, IconX } from "@tabler/icons-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useKeys } from "@/lib/keys";
import { type Clause, clauses, written } from "@/lib/query";
import { query as words } from "@/strings/query";
import classes from "./QueryBar.module.css";

export interface Suggestion {
  text: string;
  meaning: string;
  /** From where on it replaces what is there, counting from 1. */
  column: number;
}

interface Props {
  value: string;
  /** Makes another query of the one that is in force by then, which `value` is only later. */
  onChange: (change: (now: string) => string) => void;
  /** What could be written at the end of a query. */
  complete: (query: string) => Promise<Suggestion[]>;
  label: string;
  placeholder: string;
  /** What the server cannot read in it. */
  problem?: string | null;
}

export function QueryBar({ value, onChange, complete, label, placeholder, problem }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState("");
  const [open, setOpen] = useState(false);
  const [offered, setOffered] = useState<Suggestion[]>([]);
  const [at, setAt] = useState(-1);
  const id = useId();
  const parts = clauses(value);
  const last = parts.at(-1);

  useKeys({ "/": () => input.current?.focus() });

  useEffect(() => {
    if (!open) return;
    let current = true;
    const timer = window.setTimeout(() => {
      complete(typed)
        .then((found) => {
          if (!current) return;
          setOffered(found);
          setAt(-1);
        })
        .catch(() => current && setOffered([]));
    }, 90);
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [typed, open, complete]);

  function apply(text: string) {
    setTyped("");
    setAt(-1);
    onChange((now) => `${now} ${text}`.trim());
  }

  function take(one: Suggestion) {
    const text = typed.slice(0, one.column - 1) + one.text;
    if (/[:.<>=]$/.test(text)) {
      setTyped(text);
      input.current?.focus();
    } else {
      apply(text);
    }
  }

  function edit(part: Clause) {
    setTyped(part.text);
    remove(part);
    input.current?.focus();
  }

  function remove({ text }: Clause) {
    onChange((now) => {
      const all = clauses(now);
      const at = all.findLastIndex((one) => one.text === text);
      return written(all.filter((_, other) => other !== at));
    });
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    const shown = open ? offered.length : 0;
    if (event.key === "ArrowDown" && shown > 0) {
      event.preventDefault();
      setAt((at + 1) % shown);
    } else if (event.key === "ArrowUp" && shown > 0) {
      event.preventDefault();
      setAt(((at + shown) % (shown + 1)) - (at === 0 ? 1 : 0));
    } else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) {
      const one = offered[at];
      if (one !== undefined) {
        event.preventDefault();
        take(one);
      }
    } else if (event.key === "Enter" && typed.trim() !== "") {
      event.preventDefault();
      apply(typed.trim());
    } else if (event.key === " " && finished(typed)) {
      event.preventDefault();
      apply(typed.trim());
    } else if (event.key === "Backspace" && typed === "" && last !== undefined) {
      event.preventDefault();
      edit(last);
    } else if (event.key === "Escape") {
      if (open && offered.length > 0) setOpen(false);
      else input.current?.blur();
    }
  }

  const expanded = open && offered.length > 0;
  return (
    <div className={classes.bar}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: a wider target for the field in it */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the field itself takes the keys */}
      <div
        className={classes.box}
        data-invalid={problem ? true : undefined}
        onClick={(event) => event.target === event.currentTarget && input.current?.focus()}
      >
        <IconSearch size={15} className={classes.icon} aria-hidden="true" />
        {parts.map((part) => (
          <span
            key={`${part.start}-${part.text}`}
            className={classes.chip}
            data-negated={part.negated || undefined}
          >
            <UnstyledButton
              className={classes.text}
              onClick={() => edit(part)}
              aria-label={words.edit(part.text)}
            >
              {part.key ? (
                <span className={classes.key}>
                  {part.negated ? "-" : ""}
                  {part.key}
                  {part.operator}
                </span>
              ) : null}
              {part.key
                ? part.text.slice(part.key.length + part.operator.length + (part.negated ? 1 : 0))
                : part.text}
            </UnstyledButton>
            <UnstyledButton
              className={classes.remove}
              aria-label={words.remove(part.text)}
              onClick={() => remove(part)}
            >
              <IconX size={12} />
            </UnstyledButton>
          </span>
        ))}
        <input
          ref={input}
          className={classes.input}
          value={typed}
          role="combobox"
          aria-label={label}
          aria-expanded={expanded}
          aria-controls={`${id}-list`}
          aria-activedescendant={expanded && at >= 0 ? `${id}-${at}` : undefined}
          aria-autocomplete="list"
          aria-invalid={problem ? true : undefined}
          aria-describedby={problem ? `${id}-problem` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={parts.length === 0 ? placeholder : ""}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setOpen(true);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => {
            setOpen(false);
            if (typed.trim() !== "") apply(typed.trim());
          }}
          onKeyDown={onKeyDown}
        />
        {parts.length > 0 ? (
          <UnstyledButton
            className={classes.clear}
            aria-label={words.clear}
            onClick={() => onChange(() => "")}
          >
            <IconX size={15} />
          </UnstyledButton>
        ) : (
          <kbd className={classes.kbd} aria-hidden="true">
            /
          </kbd>
        )}
      </div>
      {problem ? (
        <div id={`${id}-problem`} className={classes.problem} role="alert">
          {problem}
        </div>
      ) : null}
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={words.offered}
        className={classes.list}
        hidden={!expanded}
      >
        {offered.map((one, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the field
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field takes the keys
          <div
            key={one.text}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className={classes.option}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => take(one)}
          >
            <code>{one.text}</code>
            <span>{one.meaning}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

/** Whether a blank ends what is typed: not within quotes, not after `key:`. */
export function finished(text: string): boolean {
  const quotes = text.replaceAll(/\\./g, "").split('"').length - 1;
  return text.trim() !== "" && quotes % 2 === 0 && !/[:<>=,]$/.test(text);
}
