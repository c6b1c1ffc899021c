package pdd

import "slices"

// rules are the options of the authors' code that mean something here, in an order in which each knows what it needs.
// Values for absent options are those of the code (basicsr/models/srgan_ref_model.py, basicsr/losses/losses.py).
func (im *importer) rules() []rule {
	return slices.Concat(im.generalRules(), im.dataRules(), im.networkRules(), im.lossRules(), im.courseRules())
}

func (im *importer) generalRules() []rule {
	return []rule{
		{"model_type", "method", required, only("SRGANRefModel")},
		{"scale", "", required, &im.scale},
		{"num_gpu", "optimizer.accumulate", 1, im.setGPUs},
		{"manual_seed", "seed", nil, &im.c.Seed},
		{"name", "output.dir", nil, im.setFolder},
	}
}

func (im *importer) dataRules() []rule {
	d := &im.c.Data
	return []rule{
		{"datasets.train_s.type", "", required, only("BlindPairedImageDataset")},
		{"datasets.train_s.dataroot_gt", "data.hr", required, &d.HR},
		{"datasets.train_s.pipeline", "data.degradation", required, im.setPipeline},
		{"datasets.train_s.batch_size_per_gpu", "data.batch", required, &im.batch},
		{"datasets.train_t.type", "", required, only("SingleImageDataset")},
		{"datasets.train_t.dataroot_lq", "data.unlabelled", required, &d.Unlabelled},
		{"datasets.train_t.lq_size", "data.patch", required, same(&d.Patch)},
		{"datasets.train_t.batch_size_per_gpu", "data.batch", required, same(&im.batch)},
		{"datasets.train_t.use_hflip", "data.augment", required, im.sameAugment},
		{"datasets.train_t.use_rot", "data.augment", required, im.sameAugment},
		{"datasets.val.dataroot_lq", "validation.lr", nil, &im.c.Validation.LR},
		{"datasets.val.dataroot_gt", "validation.hr", nil, &im.c.Validation.HR},
	}
}

func (im *importer) networkRules() []rule {
	c := &im.c
	rules := im.generatorRules("network_g", "pretrain_network_g", "param_key_g", "specialist", &c.Specialist)
	averaged := false
	rules = append(rules, rule{"train.use_net_g_ema", "generalist.kind", false, &averaged})
	if im.look("train.use_net_g_ema") == true {
		c.Generalist.Kind = MovingAverage
	} else {
		c.Generalist.Kind = Frozen
		rules = append(rules, im.generatorRules("network_g_fix", "pretrain_network_g_fix", "param_key_g_fix", "generalist", &c.Generalist.NetworkConfig)...)
	}
	return append(rules,
		rule{"network_d.type", "", required, only("UNetDiscriminatorWithSpectralNorm")},
		rule{"network_d.num_in_ch", "", required, only("3")},
		rule{"network_d.num_feat", "discriminator.feat", 64, &c.Discriminator.Feat},
		rule{"network_d.skip_connection", "discriminator.skip_connections", true, &c.Discriminator.SkipConnections},
		rule{"path.pretrain_network_d", "discriminator.weights", nil, orNull(&c.Discriminator.Weights)},
	)
}

// generatorRules are those of a network's section and its weight file.
func (im *importer) generatorRules(section, file, key, field string, n *NetworkConfig) []rule {
	*n = NetworkConfig{}
	rules := []rule{
		{section + ".type", "", required, only("RRDBNet")},
		{section + ".num_in_ch", "", required, only("3")},
		{section + ".num_out_ch", "", required, only("3")},
	}
	if im.look("path."+file) != nil {
		return append(rules,
			rule{"path." + file, field + ".weights", nil, im.setWeights(&n.Weights)},
			rule{"path." + key, field + ".entry", "params", im.setEntry(&n.Entry)})
	}
	n.New = &Sizes{Kind: "rrdbnet", Scale: im.scale}
	return append(rules,
		rule{section + ".num_feat", field + ".new.feat", 64, &n.New.Feat},
		rule{section + ".num_block", field + ".new.depth", 23, &n.New.Depth},
		rule{section + ".num_grow_ch", field + ".new.grow", 32, &n.New.Grow})
}

func (im *importer) lossRules() []rule {
	l := &im.c.Loss
	rules := []rule{
		{"train.gan_opt.type", "", required, only("GANLoss")},
		{"train.gan_opt.gan_type", "loss.gan.kind", required, &l.GAN.Kind},
		{"train.gan_opt.loss_weight", "loss.gan.weight", 1.0, &l.GAN.Weight},
		{"train.gan_opt.real_label_val", "", 1.0, only("1")},
		{"train.gan_opt.fake_label_val", "", 0.0, only("0")},
		{"train.domain_opt_wogan", "loss.gan.unlabelled", false, im.setUnlabelledGAN},
		{"train.domain_opt_detach", "loss.detach_labelled", true, &l.DetachLabelled},
	}
	rules = append(rules, im.pixelRules(l)...)
	rules = append(rules, im.perceptualRules(l)...)
	return append(rules, im.distillationRules(l)...)
}

func (im *importer) pixelRules(l *LossConfig) []rule {
	l.L1, l.Wavelet.Weight = 0, 0
	switch im.look("train.pixel_opt.type") {
	case nil:
		return nil
	case "L1Loss":
		return []rule{
			{"train.pixel_opt.type", "", required, only("L1Loss")},
			{"train.pixel_opt.loss_weight", "loss.l1", 1.0, &l.L1},
			{"train.pixel_opt.reduction", "", "mean", only("mean")},
		}
	}
	return []rule{
		{"train.pixel_opt.type", "", required, only("WeightedWvtLoss", "L1Loss")},
		{"train.pixel_opt.loss_weight", "loss.wavelet.weight", 1.0, &l.Wavelet.Weight},
		{"train.pixel_opt.weights", "loss.wavelet.bands", []any{1.0, 0.5, 0.1}, im.setBands},
		{"train.pixel_opt.reduction", "loss.wavelet.sum", "mean", func(v any) error {
			l.Wavelet.Sum = v == "sum"
			return only("mean", "sum")(v)
		}},
	}
}

func (im *importer) perceptualRules(l *LossConfig) []rule {
	l.Perceptual.Weight, l.Perceptual.Style = 0, 0
	if im.look("train.perceptual_opt.type") == nil {
		return nil
	}
	return []rule{
		{"train.perceptual_opt.type", "", required, only("PerceptualLoss")},
		{"train.perceptual_opt.layer_weights", "loss.perceptual.layers", required, &l.Perceptual.Layers},
		{"train.perceptual_opt.perceptual_weight", "loss.perceptual.weight", 1.0, &l.Perceptual.Weight},
		{"train.perceptual_opt.style_weight", "loss.perceptual.style", 0.0, &l.Perceptual.Style},
		{"train.perceptual_opt.criterion", "loss.perceptual.distance", "l1", &l.Perceptual.Distance},
		{"train.perceptual_opt.vgg_type", "", "vgg19", only("vgg19")},
		{"train.perceptual_opt.use_input_norm", "features.input_norm", true, &im.c.Features.InputNorm},
		{"train.perceptual_opt.range_norm", "features.range_norm", false, &im.c.Features.RangeNorm},
	}
}

func (im *importer) distillationRules(l *LossConfig) []rule {
	l.Inter.Weight, l.Intra.Weight = 0, 0
	if im.look("train.domain_opt.type") == nil {
		return nil
	}
	var inputNorm, rangeNorm any = &im.c.Features.InputNorm, &im.c.Features.RangeNorm
	if im.look("train.perceptual_opt.type") != nil { // which came first
		inputNorm, rangeNorm = same(&im.c.Features.InputNorm), same(&im.c.Features.RangeNorm)
	}
	return []rule{
		{"train.domain_opt.type", "", required, only("DistillationLoss")},
		{"train.domain_opt.layer_weights_inter", "loss.inter.layers", required, &l.Inter.Layers},
		{"train.domain_opt.layer_weights_intra", "loss.intra.layers", required, &l.Intra.Layers},
		{"train.domain_opt.rinter_weight", "loss.inter.weight", 1.0, &l.Inter.Weight},
		{"train.domain_opt.rintra_weight", "loss.intra.weight", 1.0, &l.Intra.Weight},
		{"train.domain_opt.cri_intra", "loss.intra.criterion", "l1", &l.Intra.Criterion},
		{"train.domain_opt.cri_inter", "", "fro", only("fro")},
		{"train.domain_opt.delta_inter_type", "", "gram_change", only("gram_change")},
		{"train.domain_opt.delta_intra_type", "", "l1", only("l1")},
		{"train.domain_opt.model_type", "", "vgg19", only("vgg19")},
		{"train.domain_opt.use_input_norm", "features.input_norm", true, inputNorm},
		{"train.domain_opt.range_norm", "features.range_norm", false, rangeNorm},
	}
}

func (im *importer) courseRules() []rule {
	c := &im.c
	o := &c.Optimizer
	return []rule{
		{"train.total_iter", "steps", required, &c.Steps},
		{"train.ema_decay", "ema_decay", 0.0, &c.EMADecay},
		{"train.net_d_iters", "discriminator.generator_every", 1, &c.Discriminator.GeneratorEvery},
		{"train.net_d_init_iters", "warmup.discriminator", 0, &c.Warmup.Discriminator},
		{"train.domain_opt_warmup_iters", "warmup.distillation", 0, &c.Warmup.Distillation},
		{"train.optim_g.type", "", required, only("Adam")},
		{"train.optim_g.lr", "optimizer.lr", required, &o.LR},
		{"train.optim_g.betas", "optimizer.beta1 and beta2", []any{0.9, 0.999}, im.setBetas},
		{"train.optim_g.eps", "optimizer.eps", 1e-8, &o.Eps},
		{"train.optim_g.weight_decay", "optimizer.weight_decay", 0.0, &o.WeightDecay},
		{"train.optim_d.type", "", required, only("Adam")},
		{"train.optim_d.lr", "optimizer.lr_discriminator", required, &o.LRD},
		{"train.optim_d.betas", "optimizer.beta1 and beta2", []any{0.9, 0.999}, im.sameBetas},
		{"train.optim_d.eps", "optimizer.eps", 1e-8, same(&o.Eps)},
		{"train.optim_d.weight_decay", "optimizer.weight_decay", 0.0, same(&o.WeightDecay)},
		{"train.scheduler.type", "", required, only("MultiStepLR", "MultiStepRestartLR")},
		{"train.scheduler.milestones", "optimizer.milestones", required, &o.Milestones},
		{"train.scheduler.gamma", "optimizer.gamma", 0.1, &o.Gamma},
		{"val.val_freq", "validation.every", 0, &c.Validation.Every},
		{"val.metrics", "validation.metrics", nil, im.setMetrics},
		{"logger.print_freq", "output.log_every", required, &c.Output.LogEvery},
		{"logger.save_checkpoint_freq", "output.save_every", required, &c.Output.SaveEvery},
		{"logger.use_tb_logger", "output.tensorboard", false, &c.Output.TensorBoard},
	}
}
