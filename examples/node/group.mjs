// A workflow group in JavaScript, without any package: what it declares, and what it does.

import { main } from "./stepwell.mjs";

const words = { type: "array", items: { type: "string" } };
const counts = { type: "object", additionalProperties: { type: "integer" } };

const text = "the step is the row and the row is the step";

await main({
  name: "node-words",
  description: "Counts the words of a text; the same protocol as a group in Python.",
  tags: ["example"],
  entryPoint: "group.mjs",
  workflows: [
    {
      name: "count-words",
      description: "Split a text, count its words, and remember how often that was done.",
      parameters: {
        type: "object",
        properties: { text: { type: "string", default: text } },
        required: [],
        additionalProperties: false,
      },
      operations: [
        {
          name: "split",
          description: "Split the text into words.",
          inputs: { text: { from: "parameter", schema: { type: "string" }, required: false } },
          returns: words,
          run: ({ text }) => text.split(/\s+/).filter(Boolean),
        },
        {
          name: "count",
          description: "Count each word.",
          retries: 2,
          inputs: { split: { from: "split", schema: words, required: true } },
          returns: counts,
          run({ split }) {
            const found = {};
            for (const word of split) found[word] = (found[word] ?? 0) + 1;
            return found;
          },
        },
        {
          name: "remember",
          description: "Save how many texts were counted, and report the words.",
          inputs: { count: { from: "count", schema: counts, required: true } },
          returns: { type: "integer" },
          async run({ count }, context) {
            const texts = ((await context.read("texts")) ?? 0) + 1;
            context.save("texts", texts);
            context.report("words", "json", "application/json", JSON.stringify(count));
            return texts;
          },
        },
      ],
    },
  ],
});
