package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A driver serves CSI v1.9: to the kubelet, which mounts volumes into pods, and to csi-snapshotter beside it.
// Volumes are made by the provisioner in this process, so CreateVolume and DeleteVolume stay unimplemented.
type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedNodeServer

	node  string
	store store
}

func (*driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: version}, nil
}

func (*driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

func (*driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	controller := &csi.PluginCapability_Service{Type: csi.PluginCapability_Service_CONTROLLER_SERVICE}
	return &csi.GetPluginCapabilitiesResponse{
		Capabilities: []*csi.PluginCapability{{Type: &csi.PluginCapability_Service_{Service: controller}}},
	}, nil
}

func (*driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	answer := &csi.ControllerGetCapabilitiesResponse{}
	for _, able := range []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
	} {
		rpc := &csi.ControllerServiceCapability_RPC{Type: able}
		answer.Capabilities = append(answer.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: rpc},
		})
	}
	return answer, nil
}

func (d *driver) CreateSnapshot(_ context.Context, wanted *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if !d.store.hasVolume(wanted.SourceVolumeId) {
		return nil, status.Errorf(codes.NotFound, "volume %s is not on node %s", wanted.SourceVolumeId, d.node)
	}
	taken, err := d.store.createSnapshot(wanted.Name, wanted.SourceVolumeId)
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.CreateSnapshotResponse{Snapshot: &csi.Snapshot{
		SnapshotId:     wanted.Name,
		SourceVolumeId: wanted.SourceVolumeId,
		CreationTime:   timestamppb.New(taken),
		ReadyToUse:     true,
	}}, nil
}

func (d *driver) DeleteSnapshot(_ context.Context, unwanted *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if err := d.store.deleteSnapshot(unwanted.SnapshotId); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.DeleteSnapshotResponse{}, nil
}

func (*driver) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	return &csi.NodeGetCapabilitiesResponse{}, nil
}

func (d *driver) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.node}, nil
}

// NodePublishVolume binds the volume's folder to where the pod's volume is to be. Doing it twice does no harm.
func (d *driver) NodePublishVolume(_ context.Context, wanted *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	if !d.store.hasVolume(wanted.VolumeId) {
		return nil, status.Errorf(codes.NotFound, "volume %s is not on node %s", wanted.VolumeId, d.node)
	}
	if err := os.MkdirAll(wanted.TargetPath, 0o755); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	if same(d.store.volume(wanted.VolumeId), wanted.TargetPath) {
		return &csi.NodePublishVolumeResponse{}, nil
	}
	flags := uintptr(unix.MS_BIND)
	if err := unix.Mount(d.store.volume(wanted.VolumeId), wanted.TargetPath, "", flags, ""); err != nil {
		return nil, status.Errorf(codes.Internal, "bind %s: %v", wanted.TargetPath, err)
	}
	if wanted.Readonly {
		if err := unix.Mount("", wanted.TargetPath, "", flags|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			return nil, status.Errorf(codes.Internal, "bind %s read-only: %v", wanted.TargetPath, err)
		}
	}
	return &csi.NodePublishVolumeResponse{}, nil
}

// NodeUnpublishVolume undoes it; what is not mounted, or not there, is no error.
func (*driver) NodeUnpublishVolume(_ context.Context, unwanted *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	err := unix.Unmount(unwanted.TargetPath, 0)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, fs.ErrNotExist) {
		return nil, status.Errorf(codes.Internal, "unmount %s: %v", unwanted.TargetPath, err)
	}
	if err := os.Remove(unwanted.TargetPath); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// same tells whether both paths are one folder, which they are once one is bound to the other.
func same(one, other string) bool {
	var first, second syscall.Stat_t
	return syscall.Stat(one, &first) == nil && syscall.Stat(other, &second) == nil &&
		first.Dev == second.Dev && first.Ino == second.Ino
}
