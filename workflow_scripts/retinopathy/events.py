"""Events for TensorBoard: the measures of each epoch, as curves."""

from collections.abc import Callable, Mapping
from pathlib import Path

from retinopathy.framework import tf


def writer(folder: Path) -> Callable[[Mapping[str, float]], None]:
    """Return a function that adds the row of an epoch to the events in a folder.

    A resumed run adds a file with the epochs that it still makes; TensorBoard joins them. Nothing
    of TensorBoard has to be installed to write them.
    """
    summaries = tf.summary.create_file_writer(str(folder))
    kind = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
    )

    def write(row: Mapping[str, float]) -> None:
        with summaries.as_default():
            for name in row.keys() - {"epoch"}:
                tf.summary.write(name, tf.constant(row[name], tf.float32), int(row["epoch"]), kind)
            summaries.flush()

    return write
