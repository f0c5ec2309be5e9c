"""Where a machine's disks are, and whether every node reaches them."""

from __future__ import annotations

from agent.config import Zfs
from agent.storages.disks import Disk, disks_of
from agent.storages.model import Nfs, Storage

STORAGES: dict[str, Storage] = {
    "local-zfs": Zfs(dataset="rpool/guests"),
    "nas": Nfs(server="192.0.2.9", export="/export/guests"),
}
XML = """<domain><devices>
 <disk type='volume' device='disk'><source pool='local-zfs' volume='web'/><target dev='vda'/></disk>
 <disk type='block' device='disk'><source dev='/dev/zvol/rpool/guests/data'/>
  <target dev='vdb'/></disk>
 <disk type='file' device='disk'><source file='/var/lib/slipway/storages/nas/log.qcow2'/>
  <target dev='vdc'/></disk>
 <disk type='file' device='cdrom'><source file='/var/lib/libvirt/images/debian.iso'/>
  <target dev='sda'/></disk>
 <disk type='network' device='disk'><source protocol='rbd' name='pool/web'/>
  <target dev='vdd'/></disk>
 <disk type='file' device='cdrom'><target dev='sdb'/></disk>
</devices></domain>"""


def test_every_disk_with_a_source() -> None:
    assert disks_of(XML, STORAGES) == (
        Disk("vda", "local-zfs/web", shared=False, dataset="rpool/guests/web"),
        Disk("vdb", "/dev/zvol/rpool/guests/data", shared=False, dataset="rpool/guests/data"),
        Disk("vdc", "/var/lib/slipway/storages/nas/log.qcow2", shared=True),
        Disk("sda", "/var/lib/libvirt/images/debian.iso", shared=False, disk=False),
        Disk("vdd", "pool/web", shared=True),
    )
