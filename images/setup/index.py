"""Makes FOLDER.jar, a JAR whose manifest names every JAR in FOLDER, and prints its path. Usage: index.py FOLDER"""

import sys
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
line = "Class-Path: " + " ".join(f"{folder.name}/{jar.name}" for jar in sorted(folder.glob("*.jar")))

# A manifest's lines have at most 72 bytes; what follows begins with a space.
lines = ["Manifest-Version: 1.0", line[:70]]
lines += [" " + line[start : start + 69] for start in range(70, len(line), 69)]

target = folder.with_suffix(".jar")
with zipfile.ZipFile(target, "w") as archive:
    archive.writestr("META-INF/MANIFEST.MF", "\r\n".join(lines) + "\r\n\r\n")
print(target)
