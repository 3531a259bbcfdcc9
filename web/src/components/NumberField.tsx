import { TextInput, type TextInputProps } from "@mantine/core";
import { type KeyboardEvent, useRef, useState } from "react";
import { type Bounds, stepped, wrongOf } from "./numbers";
import { useStopped } from "./useStopped";

type Plain = Omit<TextInputProps, "value" | "onChange" | "required" | "min" | "max">;

interface Props extends Bounds, Plain {
  value: number | string | null;
  /** What may be taken; never while something is wrong with it. Empty only where `optional`. */
  onChange: (value: number | "") => void;
}

/** A field for a number: what was typed stays, and what is wrong with it is said. */
export function NumberField({ value, onChange, min, max, fractions, optional, ...rest }: Props) {
  const given = value === null ? "" : String(value);
  const [typed, setTyped] = useState(given);
  const [last, setLast] = useState(given);
  const box = useRef<HTMLInputElement>(null);
  const bounds = { min, max, fractions, optional };
  if (given !== last) {
    setLast(given);
    if (given !== numberOf(typed)) setTyped(given);
  }
  const wrong = rest.disabled ? "" : wrongOf(typed, bounds);
  useStopped(box, wrong);

  function change(next: string) {
    setTyped(next);
    if (wrongOf(next, bounds) === "") onChange(next.trim() === "" ? "" : Number(next));
  }

  function arrows(event: KeyboardEvent<HTMLInputElement>) {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key] as 1 | -1 | undefined;
    if (by === undefined) return;
    event.preventDefault();
    change(stepped(typed, by, bounds));
  }

  return (
    <TextInput
      {...rest}
      ref={box}
      inputMode={fractions ? "decimal" : "numeric"}
      autoComplete="off"
      value={typed}
      error={wrong || undefined}
      onKeyDown={arrows}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

/** As it comes back from whoever keeps it: "007" was taken as 7. */
function numberOf(typed: string): string {
  const text = typed.trim();
  return text === "" || Number.isNaN(Number(text)) ? text : String(Number(text));
}
