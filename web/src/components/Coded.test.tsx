import { render } from "@testing-library/react";
import { expect, it } from "vitest";
import { Coded } from "./Coded";

it("shows as code what stands between backticks, and the backticks nowhere", () => {
  const { container } = render(<Coded>Without `since:2h` there are 3, with `x` none.</Coded>);
  expect(container.textContent).toBe("Without since:2h there are 3, with x none.");
  expect([...container.querySelectorAll("code")].map((one) => one.textContent)).toEqual([
    "since:2h",
    "x",
  ]);
});
