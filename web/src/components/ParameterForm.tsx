import { JsonInput, SegmentedControl, Select, TextInput } from "@mantine/core";
import { useRef, useState } from "react";
import { exactText } from "@/lib/exact";
import { parsedObject } from "@/lib/json";
import { form as words } from "@/strings/form";
import classes from "./ParameterForm.module.css";
import { type Field, fieldsOf, read, written } from "./parameters";
import { useStopped } from "./useStopped";

interface Props {
  /** A JSON Schema of an object. */
  schema: unknown;
  /** Only what was given; what is left out takes its default. */
  value: Record<string, unknown>;
  onChange: (value: Record<string, unknown>) => void;
  /** What the server said of single fields: name -> message. */
  errors?: Record<string, string>;
}

/** A form made from a schema, or the same as JSON. */
export function ParameterForm(props: Props) {
  const [mode, setMode] = useState<"form" | "json">("form");
  const fields = fieldsOf(props.schema);
  if (fields.length === 0) return <p className="sw-soft">{words.none}</p>;
  return (
    <div className={classes.form}>
      <SegmentedControl
        aria-label={words.mode}
        value={mode}
        onChange={(chosen) => setMode(chosen as "form" | "json")}
        data={[
          { value: "form", label: words.form },
          { value: "json", label: words.json },
        ]}
      />
      {mode === "form" ? (
        fields.map((one) => <Input key={one.name} field={one} {...props} />)
      ) : (
        <Whole {...props} />
      )}
    </div>
  );
}

function Input({ field, value, onChange, errors }: Props & { field: Field }) {
  const given = value[field.name];
  const [typed, setTyped] = useState(given === undefined ? "" : written(given));
  const [wrong, setWrong] = useState("");

  function change(next: string) {
    setTyped(next);
    const { [field.name]: _, ...rest } = value;
    try {
      const found = read(field, next);
      setWrong("");
      onChange(found === undefined ? rest : { ...rest, [field.name]: found });
    } catch {
      setWrong(words.noJson);
      onChange(rest);
    }
  }
  const box = useRef<HTMLInputElement>(null);
  useStopped(box, wrong);

  const shared = {
    label: field.name,
    required: field.required,
    description: field.description || undefined,
    error: errors?.[field.name] || wrong || undefined,
  };
  if (field.kind === "choice" || field.kind === "boolean") {
    const data = field.kind === "boolean" ? ["true", "false"] : field.choices;
    return (
      <Select
        {...shared}
        data={data}
        value={typed || null}
        placeholder={placeholder(field)}
        clearable
        onChange={(chosen) => change(chosen ?? "")}
      />
    );
  }
  const type = field.kind === "date" ? "date" : "text";
  const numeric = field.kind === "number" || field.kind === "integer";
  return (
    <TextInput
      {...shared}
      ref={box}
      type={type}
      inputMode={numeric ? "decimal" : undefined}
      placeholder={placeholder(field)}
      value={typed}
      onChange={(event) => change(event.currentTarget.value)}
    />
  );
}

function placeholder(field: Field): string {
  if (field.fallback !== null) return words.fallback(field.fallback);
  return field.kind === "json" ? "JSON" : "";
}

function Whole({ value, onChange }: Props) {
  const [typed, setTyped] = useState(() => exactText(value, 2));
  const [wrong, setWrong] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  useStopped(box, wrong);
  return (
    <JsonInput
      ref={box}
      label={words.json}
      autosize
      minRows={4}
      maxRows={20}
      value={typed}
      error={wrong || undefined}
      onChange={(next) => {
        setTyped(next);
        const found = parsedObject(next);
        setWrong(found === null ? words.noObject : "");
        if (found !== null) onChange(found);
      }}
    />
  );
}
