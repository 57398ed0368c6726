"""Jupyter's settings in a container: everything comes from files and environment variables, nothing from argv."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (Jupyter puts it there)

c.ServerApp.ip = "0.0.0.0"
c.ServerApp.port = 8888
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_remote_access = True
# A workspace outlives the container.
c.ServerApp.root_dir = os.environ.get("ZOE_WORKSPACE") or "/home/spark/notebooks"
c.ServerApp.base_url = os.environ.get("NB_BASE_PATH") or "/"

# Without the file Jupyter makes up a token and logs it.
secret = Path("/run/secrets/token")
if secret.exists():
    c.IdentityProvider.token = secret.read_text(encoding="utf-8").strip()

# The Scala compiler takes its time on half a core.
c.MappingKernelManager.kernel_info_timeout = 300
c.KernelManager.shutdown_wait_time = 15

load_subconfig("/opt/zoe/jupyter/default_kernel.py")  # noqa: F821
