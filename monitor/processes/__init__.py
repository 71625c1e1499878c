# SPDX-License-Identifier: Apache-2.0
"""The service over several processes: ingest processes beside one engine process, a main process in front."""
