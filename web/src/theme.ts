/**
 * The look: deep water and sandstone. Mantine's own variables are set here, so that its
 * components and ours (styles/tokens.css) draw from the same palette.
 */

import {
  Badge,
  Button,
  Card,
  type CSSVariablesResolver,
  createTheme,
  Input,
  type MantineColorsTuple,
  Menu,
  Modal,
  Notification,
  Popover,
  SegmentedControl,
  Tabs,
  TextInput,
  Tooltip,
} from "@mantine/core";
import { common } from "@/strings/common";

const well: MantineColorsTuple = [
  "#e9f6f4",
  "#cfebe7",
  "#a1d7d0",
  "#6fc0b7",
  "#46aaa0",
  "#26948a",
  "#0f7d75",
  "#0b6761",
  "#08524e",
  "#043c39",
];

const sand: MantineColorsTuple = [
  "#fbf5e9",
  "#f5e8cd",
  "#ecd3a0",
  "#e3be72",
  "#dcac4d",
  "#c9923a",
  "#a9762a",
  "#875c1f",
  "#674617",
  "#47300f",
];

const gray: MantineColorsTuple = [
  "#f8f7f4",
  "#f1efea",
  "#e6e3dc",
  "#d6d2c9",
  "#b9b4a9",
  "#8f8a80",
  "#68645c",
  "#514e48",
  "#363430",
  "#1f1e1b",
];

const dark: MantineColorsTuple = [
  "#e3e8e7",
  "#c2cac8",
  "#9faaa8",
  "#7b8785",
  "#46514f",
  "#303938",
  "#222a2a",
  "#171d1e",
  "#101516",
  "#0a0e0f",
];

const SANS =
  'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "DejaVu Sans", sans-serif';
const MONO =
  'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

export const theme = createTheme({
  colors: { well, sand, gray, dark },
  primaryColor: "well",
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  luminanceThreshold: 0.28,
  black: "#1f1e1b",
  fontFamily: SANS,
  fontFamilyMonospace: MONO,
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  lineHeights: { xs: "1.4", sm: "1.45", md: "1.5", lg: "1.5", xl: "1.35" },
  spacing: { xs: "0.375rem", sm: "0.625rem", md: "1rem", lg: "1.5rem", xl: "2rem" },
  radius: { xs: "3px", sm: "5px", md: "7px", lg: "10px", xl: "16px" },
  defaultRadius: "sm",
  headings: {
    fontFamily: SANS,
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.35" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
      h4: { fontSize: "0.8125rem", lineHeight: "1.4" },
    },
  },
  shadows: {
    xs: "0 1px 2px rgb(20 24 22 / 6%)",
    sm: "0 1px 2px rgb(20 24 22 / 7%), 0 2px 6px rgb(20 24 22 / 5%)",
    md: "0 2px 4px rgb(20 24 22 / 7%), 0 8px 20px rgb(20 24 22 / 9%)",
    lg: "0 4px 8px rgb(20 24 22 / 8%), 0 16px 40px rgb(20 24 22 / 14%)",
    xl: "0 8px 16px rgb(20 24 22 / 10%), 0 28px 64px rgb(20 24 22 / 18%)",
  },
  focusRing: "auto",
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: Button.extend({ defaultProps: { size: "xs" }, styles: { label: { fontWeight: 560 } } }),
    InputWrapper: Input.Wrapper.extend({
      // So that the ring of a focused field is beside them.
      styles: { label: { marginBottom: "0.25rem" }, description: { marginBottom: "0.25rem" } },
    }),
    TextInput: TextInput.extend({ defaultProps: { size: "sm" } }),
    Badge: Badge.extend({
      defaultProps: { radius: "sm", variant: "light" },
      styles: { label: { textTransform: "none", fontWeight: 560, letterSpacing: 0 } },
    }),
    Card: Card.extend({ defaultProps: { withBorder: true, radius: "md", padding: "md" } }),
    Tabs: Tabs.extend({ defaultProps: { keepMounted: false } }),
    Menu: Menu.extend({
      // Without what Mantine focuses first: a menu may hold nothing but its items.
      defaultProps: { shadow: "md", withinPortal: true, withInitialFocusPlaceholder: false },
      styles: { itemLabel: { minWidth: 0 } },
    }),
    Popover: Popover.extend({ defaultProps: { shadow: "md" } }),
    Modal: Modal.extend({
      styles: {
        title: { fontSize: "1rem", fontWeight: 620 },
        content: { background: "var(--sw-surface)" },
        header: { background: "var(--sw-surface)" },
      },
      defaultProps: {
        // Its `<header>` would be a second banner beside that of the page.
        attributes: { header: { role: "presentation" } },
        closeButtonProps: { "aria-label": common.close },
        centered: false,
        yOffset: "8vh",
        radius: "lg",
        overlayProps: { opacity: 0.5 },
      },
    }),
    Notification: Notification.extend({
      defaultProps: { closeButtonProps: { "aria-label": common.close } },
    }),
    Tooltip: Tooltip.extend({
      defaultProps: { events: { hover: true, focus: true, touch: true }, openDelay: 250 },
    }),
    SegmentedControl: SegmentedControl.extend({ defaultProps: { size: "xs" } }),
  },
});

/** White text on it is to be read: Mantine's own red holds 3.9:1 with it. */
const danger = {
  "--mantine-color-red-filled": "#c92a2a",
  "--mantine-color-red-filled-hover": "#b32424",
};

export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    ...danger,
    "--mantine-color-body": "#fbfaf8",
    "--mantine-color-text": gray[9],
    "--mantine-color-dimmed": gray[6],
    "--mantine-color-placeholder": gray[6],
    "--mantine-color-default": "#ffffff",
    "--mantine-color-default-hover": gray[0],
    "--mantine-color-default-border": gray[3],
    "--mantine-color-anchor": well[7],
    "--mantine-color-error": "#b3261e",
  },
  dark: {
    ...danger,
    "--mantine-color-body": dark[8],
    "--mantine-color-text": dark[0],
    "--mantine-color-dimmed": dark[2],
    "--mantine-color-placeholder": dark[2],
    "--mantine-color-default": dark[7],
    "--mantine-color-default-hover": dark[6],
    "--mantine-color-default-border": dark[5],
    "--mantine-color-anchor": well[3],
    "--mantine-color-error": "#ff8a80",
  },
});
