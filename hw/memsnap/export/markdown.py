"""PeakRDL's Markdown, shorter: a line for each field, and each array described once."""

import peakrdl_markdown

__all__ = ["MarkdownExporter"]


class MarkdownExporter(peakrdl_markdown.MarkdownExporter):
    """Puts what a field means into its table's row, and its values below the table.

    Parameters
    ----------
    command : str
        What regenerates the text; its second line says so.
    """

    def __init__(self, command):
        self._command = command

    def export(self, node, output_path, **options):
        super().export(node, output_path, **options)
        with open(output_path, encoding="utf-8") as file:
            body = file.read().partition("-->\n")[2]
        with open(output_path, "w", encoding="utf-8") as file:
            file.write(f"# Registers\n\n<!-- Generated from registers.rdl by: {self._command} -->\n"
                       + body.rstrip() + "\n")

    def _addrnode_header(self, node, msg, heading_level):
        title = node.inst_name if node.parent.parent is not None else "Overview"
        if "[" in node.get_path_segment():
            title = f"{title}[i], i = 0 to {node.array_dimensions[0] - 1}"
        text = self._heading(heading_level, title)
        if heading_level == 3 or "[" in node.get_path_segment():
            at = f"0x{node.absolute_address:03X}"
            if stride := self._stride(node):
                at += f" + 0x{stride:X} i"
            text += f"{node.get_property('name')}, at {at}."
            if heading_level == 3 and node.get_property("locked"):
                text += " Locked while a snapshot runs."
            text += "\n\n"
        if description := node.get_property("desc"):
            text += description + "\n\n"
        return text

    @staticmethod
    def _stride(node):
        while node.parent is not None:
            if getattr(node, "is_array", False):
                return node.array_stride
            node = node.parent
        return None

    def _add_addrmap_regfile_mem(self, node, msg, depth):
        output = super()._add_addrmap_regfile_mem(node, msg, depth)
        if any(node.current_idx or ()):     # not the first of an array
            output.generated = ""
        return output

    def _add_field(self, node, msg):
        output = super()._add_field(node, msg)
        del output.table_row["Name"]
        output.table_row["Meaning"] = node.get_property("desc") or ""
        output.generated = ""
        if encoding := node.get_property("encode"):
            output.generated = f"\nValues of `{node.inst_name}`:\n\n" + "".join(
                f"- {member.value} `{member.name}`: {member.rdl_desc}\n" for member in encoding)
        return output
