package main

import (
	"context"
	"fmt"
	"log"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
)

const (
	selectedNode = "volume.kubernetes.io/selected-node" // where the scheduler wants the first pod of a claim
	provisioned  = "pv.kubernetes.io/provisioned-by"
	lookEvery    = time.Second
	lookTimeout  = 20 * time.Second
)

// A provisioner makes the volumes of claims whose pod was scheduled to its node, and deletes those that are released.
//
// It looks every second instead of watching: a cluster of a dozen claims is cheap to list, and nothing can be missed.
type provisioner struct {
	node      string
	store     store
	clients   kubernetes.Interface
	snapshots dynamic.Interface
}

// run never returns.
func (p *provisioner) run(ctx context.Context) {
	for ; ; time.Sleep(lookEvery) {
		look, cancel := context.WithTimeout(ctx, lookTimeout)
		if err := p.look(look); err != nil {
			log.Print(err)
		}
		cancel()
	}
}

func (p *provisioner) look(ctx context.Context) error {
	policies, err := p.reclaimPolicies(ctx)
	if err != nil {
		return err
	}
	claims, err := p.clients.CoreV1().PersistentVolumeClaims("").List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	for i := range claims.Items {
		claim := &claims.Items[i]
		if policy, ours := policies[className(claim)]; ours && p.isWaiting(claim) {
			if err := p.provision(ctx, claim, policy); err != nil {
				log.Printf("claim %s/%s: %v", claim.Namespace, claim.Name, err)
			}
		}
	}
	return p.deleteReleased(ctx)
}

// reclaimPolicies gives, for every storage class of this driver, what becomes of a released volume.
func (p *provisioner) reclaimPolicies(ctx context.Context) (map[string]core.PersistentVolumeReclaimPolicy, error) {
	classes, err := p.clients.StorageV1().StorageClasses().List(ctx, meta.ListOptions{})
	if err != nil {
		return nil, err
	}
	policies := map[string]core.PersistentVolumeReclaimPolicy{}
	for _, class := range classes.Items {
		if class.Provisioner != driverName {
			continue
		}
		policies[class.Name] = core.PersistentVolumeReclaimDelete
		if class.ReclaimPolicy != nil {
			policies[class.Name] = *class.ReclaimPolicy
		}
	}
	return policies, nil
}

// isWaiting tells whether the claim has no volume yet and its pod is to run here.
func (p *provisioner) isWaiting(claim *core.PersistentVolumeClaim) bool {
	return claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil && claim.Annotations[selectedNode] == p.node
}

func (p *provisioner) provision(ctx context.Context, claim *core.PersistentVolumeClaim, policy core.PersistentVolumeReclaimPolicy) error {
	snapshot, err := p.snapshotOf(ctx, claim)
	if err != nil {
		return err
	}
	volume := p.volumeFor(claim, policy)
	if err := p.store.createVolume(volume.Name, snapshot); err != nil {
		return err
	}
	_, err = p.clients.CoreV1().PersistentVolumes().Create(ctx, volume, meta.CreateOptions{})
	if errors.IsAlreadyExists(err) {
		return nil
	}
	if err == nil {
		log.Printf("claim %s/%s has volume %s (from snapshot %q)", claim.Namespace, claim.Name, volume.Name, snapshot)
	}
	return err
}

// volumeFor is a volume of the claim's size and modes that only this node can mount.
func (p *provisioner) volumeFor(claim *core.PersistentVolumeClaim, policy core.PersistentVolumeReclaimPolicy) *core.PersistentVolume {
	id := "pvc-" + string(claim.UID)
	here := core.NodeSelectorRequirement{Key: core.LabelHostname, Operator: core.NodeSelectorOpIn, Values: []string{p.node}}
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: id, Annotations: map[string]string{provisioned: driverName}},
		Spec: core.PersistentVolumeSpec{
			Capacity:                      claim.Spec.Resources.Requests,
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: policy,
			StorageClassName:              className(claim),
			VolumeMode:                    claim.Spec.VolumeMode,
			ClaimRef: &core.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim", Namespace: claim.Namespace, Name: claim.Name,
				UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			PersistentVolumeSource: core.PersistentVolumeSource{
				CSI: &core.CSIPersistentVolumeSource{Driver: driverName, VolumeHandle: id},
			},
			NodeAffinity: &core.VolumeNodeAffinity{Required: &core.NodeSelector{
				NodeSelectorTerms: []core.NodeSelectorTerm{{MatchExpressions: []core.NodeSelectorRequirement{here}}},
			}},
		},
	}
}

// snapshotOf is the id of the snapshot that the claim wants as its content; empty when it wants none.
func (p *provisioner) snapshotOf(ctx context.Context, claim *core.PersistentVolumeClaim) (string, error) {
	source := claim.Spec.DataSource
	if source == nil {
		return "", nil
	}
	if source.Kind != "VolumeSnapshot" {
		return "", fmt.Errorf("a %s as data source is not supported", source.Kind)
	}
	kind := schema.GroupVersionResource{Group: "snapshot.storage.k8s.io", Version: "v1"}
	snapshot, err := p.snapshots.Resource(kind.GroupVersion().WithResource("volumesnapshots")).Namespace(claim.Namespace).
		Get(ctx, source.Name, meta.GetOptions{})
	if err != nil {
		return "", err
	}
	if ready, _, _ := unstructured.NestedBool(snapshot.Object, "status", "readyToUse"); !ready {
		return "", fmt.Errorf("snapshot %s is not ready", source.Name)
	}
	bound, _, _ := unstructured.NestedString(snapshot.Object, "status", "boundVolumeSnapshotContentName")
	content, err := p.snapshots.Resource(kind.GroupVersion().WithResource("volumesnapshotcontents")).
		Get(ctx, bound, meta.GetOptions{})
	if err != nil {
		return "", err
	}
	handle, _, _ := unstructured.NestedString(content.Object, "status", "snapshotHandle")
	if handle == "" {
		return "", fmt.Errorf("snapshot %s has no handle", source.Name)
	}
	return handle, nil
}

// deleteReleased removes this node's volumes that no claim wants any more.
func (p *provisioner) deleteReleased(ctx context.Context) error {
	volumes, err := p.clients.CoreV1().PersistentVolumes().List(ctx, meta.ListOptions{})
	if err != nil {
		return err
	}
	for i := range volumes.Items {
		volume := &volumes.Items[i]
		if !isDeletable(volume) || !p.store.hasVolume(volume.Spec.CSI.VolumeHandle) {
			continue // kept, in use, or another node's
		}
		// First the object: if the folder went first and this failed, the volume would never be anyone's again.
		if err := p.clients.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, meta.DeleteOptions{}); err != nil {
			return err
		}
		if err := p.store.deleteVolume(volume.Spec.CSI.VolumeHandle); err != nil {
			return err
		}
		log.Printf("volume %s is deleted", volume.Name)
	}
	return nil
}

func isDeletable(volume *core.PersistentVolume) bool {
	return volume.Spec.CSI != nil && volume.Spec.CSI.Driver == driverName && volume.Status.Phase == core.VolumeReleased &&
		volume.Spec.PersistentVolumeReclaimPolicy == core.PersistentVolumeReclaimDelete
}

func className(claim *core.PersistentVolumeClaim) string {
	if claim.Spec.StorageClassName == nil {
		return ""
	}
	return *claim.Spec.StorageClassName
}
